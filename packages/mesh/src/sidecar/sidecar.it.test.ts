// Sidecars on real sockets: two of them, an application behind one and a caller before the other.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, request, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, test } from 'node:test';
import { nodeRuntime } from '@heddle/kernel/node';
import { CertificateService, KeptIdentity, makeRoot } from '@heddle/security/identity';
import { expose, MetricRegistry } from '@heddle/telemetry';
import {
  type Cluster,
  clusterName,
  emptyModel,
  type InboundPort,
  type MeshModel,
  type MeshPolicy,
  type ServiceListener,
  spiffeIdOf,
} from '../model/index.ts';
import { Sidecar, type SidecarOptions } from './sidecar.ts';

const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const trustDomain = 'cluster.local';
const locality = { region: '', zone: '', subZone: '' };
const cleanUp: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step();
});

function authorityOf(lifeMs = 3_600_000): CertificateService {
  const authority = makeRoot(trustDomain, Date.now(), 86_400_000, runtime.random.bytes(16));
  return new CertificateService({ runtime, trustDomain, authority, lifeMs });
}

async function identityOf(authority: CertificateService, serviceAccount: string): Promise<KeptIdentity> {
  const id = { trustDomain, namespace: 'shop', serviceAccount };
  const identity = new KeptIdentity(runtime, async (asked) => authority.issue(id, asked));
  await identity.start();
  cleanUp.push(() => identity.close());
  return identity;
}

function sidecarOf(workload: string, identity: KeptIdentity, more: Partial<SidecarOptions> = {}): Sidecar {
  const made = new Sidecar({
    runtime,
    workload: `shop/${workload}`,
    identity,
    ownAddresses: false,
    files: () => undefined,
    lookUp: async () => [],
    remoteKeys: () => ({ keysFor: () => [], version: () => 0 }),
    metrics: new MetricRegistry(),
    ...more,
  });
  cleanUp.push(() => made.stop());
  return made;
}

async function listening<S extends Server | HttpServer>(server: S): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    server.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

interface MeshOf {
  readonly protocol: 'http' | 'tcp';
  /** Where callers call, where the sidecar of `order` listens, and where the application does. */
  readonly ports: { readonly out: number; readonly into: number; readonly application: number };
  readonly mtls?: InboundPort['mtls'];
  readonly policies?: readonly MeshPolicy[];
  readonly instances?: readonly number[];
}

/** A service `order` with one workload of that name. */
function meshOf({
  protocol,
  ports,
  mtls = 'strict',
  policies = [],
  instances = [ports.into],
}: MeshOf): MeshModel {
  const host = 'order';
  const name = clusterName({ host, port: ports.out, subset: '' });
  const identity = spiffeIdOf(trustDomain, { namespace: 'shop', serviceAccount: 'order' });
  const cluster: Cluster = {
    name,
    host,
    port: ports.out,
    subset: '',
    origin: '',
    protocol: protocol === 'tcp' ? 'tcp' : 'http1',
    source: 'endpoints',
    balance: { policy: 'round_robin' },
    locality: { kind: 'off' },
    pool: {},
    tls: { mode: 'auto' },
  };
  const listener: ServiceListener = {
    host,
    aliases: [],
    address: '127.0.0.1',
    port: ports.out,
    protocol,
    rules: [
      {
        name: 'all',
        origin: '',
        matches: [],
        action: { kind: 'forward', shares: [{ cluster: name, weight: 1 }] },
        retry: { retries: 2, attemptTimeoutMs: undefined, on: ['connect-failure'], backoffMs: 1 },
      },
    ],
    visibleIn: [],
  };
  const workload = { namespace: 'shop', labels: {}, locality, policies, jwt: [] };
  const target = { address: '127.0.0.1', port: ports.application };
  return {
    ...emptyModel(trustDomain),
    services: [listener],
    clusters: new Map([[name, cluster]]),
    assignments: new Map([
      [
        name,
        {
          cluster: name,
          endpoints: instances.map((port) => ({
            address: '127.0.0.1',
            port,
            weight: 1,
            health: 'healthy',
            locality,
            identity,
          })),
        },
      ],
    ]),
    workloads: new Map([
      [
        'shop/order',
        {
          ...workload,
          name: 'order',
          serviceAccount: 'order',
          inbound: [{ address: '127.0.0.1', port: ports.into, protocol, target, mtls }],
        },
      ],
    ]),
  };
}

async function portsTo(application: number): Promise<MeshOf['ports']> {
  return { out: await freePort(), into: await freePort(), application };
}

/** Both sides under these rules: the caller's is that of `web`. */
async function pair(
  mesh: MeshOf,
  authority = authorityOf(),
  more: Partial<SidecarOptions> = {},
): Promise<{
  readonly server: Sidecar;
  readonly client: Sidecar;
  readonly identities: readonly KeptIdentity[];
}> {
  const identities = [await identityOf(authority, 'order'), await identityOf(authority, 'web')] as const;
  const server = sidecarOf('order', identities[0]);
  const client = sidecarOf('web', identities[1], more);
  const model = meshOf(mesh);
  assert.deepEqual(await server.apply({ ...model, services: [] }), []);
  assert.deepEqual(await client.apply(model), []);
  return { server, client, identities };
}

async function ask(port: number, body = ''): Promise<string> {
  const asked = request({ host: '127.0.0.1', port, method: body === '' ? 'GET' : 'POST', path: '/x' });
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [Parameters<typeof text>[0] & { statusCode: number }];
  return `${answer.statusCode} ${await text(answer)}`;
}

const deny = (account: string): MeshPolicy => ({
  name: 'shop/deny',
  action: 'deny',
  rules: [
    {
      from: [{ principals: { values: [`cluster.local/ns/shop/sa/${account}`], notValues: [] } }],
      to: [],
      when: [],
    },
  ],
});

describe('bytes that nobody looks into', () => {
  const echo = (): Server => createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  const said = async (port: number, what: string): Promise<string> => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.end(what);
    return text(socket).catch(() => 'broke off');
  };

  test('go through both sides, with their ends', async () => {
    const ports = await portsTo(await listening(echo()));
    await pair({ protocol: 'tcp', ports });
    const much = 'x'.repeat(2_000_000);
    assert.equal(await said(ports.out, much), much);
  });

  test('are refused by who calls', async () => {
    const ports = await portsTo(await listening(echo()));
    await pair({ protocol: 'tcp', ports, policies: [deny('web')] });
    assert.notEqual(await said(ports.out, 'hello'), 'hello');
  });

  test('do not come in by plaintext where mTLS is demanded', async () => {
    const ports = await portsTo(await listening(echo()));
    await pair({ protocol: 'tcp', ports });
    assert.notEqual(await said(ports.into, 'hello'), 'hello');
  });
});

describe('calls of HTTP', () => {
  const answering = (): HttpServer =>
    createHttpServer((req, res) => void text(req).then((body) => res.end(`${req.method} ${body}`)));

  test('go to another instance when one cannot be reached, content and all', async () => {
    const ports = await portsTo(await listening(answering()));
    await pair({ protocol: 'http', ports, instances: [await freePort(), ports.into] });
    for (let n = 0; n < 4; n++) assert.equal(await ask(ports.out, 'content'), '200 POST content');
  });

  test('go on while certificates are renewed again and again', async () => {
    const ports = await portsTo(await listening(answering()));
    const { identities } = await pair({ protocol: 'http', ports }, authorityOf(1500));
    let renewals = 0;
    for (const each of identities) each.onRenewed(() => (renewals += 1));
    const results = new Set<string>();
    while (renewals < 6) results.add(await ask(ports.out));
    assert.deepEqual([...results], ['200 GET ']);
  });

  test('of plaintext come in where it is permitted, and are told apart by policies', async () => {
    const ports = await portsTo(await listening(answering()));
    const { server } = await pair({ protocol: 'http', ports, mtls: 'permissive' });
    assert.equal(await ask(ports.into), '200 GET ');
    assert.equal(await ask(ports.out), '200 GET ');
    const policies = [deny('web')];
    const model = meshOf({ protocol: 'http', ports, mtls: 'permissive', policies });
    await server.apply({ ...model, services: [] });
    assert.equal(await ask(ports.into), '200 GET ');
    assert.match(await ask(ports.out), /^403 /);
  });

  test('are written down and counted', async () => {
    const ports = await portsTo(await listening(answering()));
    const lines: string[] = [];
    const metrics = new MetricRegistry();
    const accessLog = {
      format: { format: 'json', sample: 1 },
      write: (line: string) => void lines.push(line),
    } as const;
    await pair({ protocol: 'http', ports }, authorityOf(), { metrics, accessLog });
    await ask(ports.out);
    while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const line = JSON.parse(lines[0] ?? '') as Readonly<Record<string, unknown>>;
    assert.deepEqual([line['status'], line['path'], line['route']], [200, '/x', 'all']);
  });

  test('are counted on both sides by the names that readers of a mesh know', async () => {
    const ports = await portsTo(await listening(answering()));
    const mesh = { protocol: 'http', ports } as const;
    const [caller, called] = [new MetricRegistry(), new MetricRegistry()];
    const authority = authorityOf();
    const server = sidecarOf('order', await identityOf(authority, 'order'), { metrics: called });
    const client = sidecarOf('web', await identityOf(authority, 'web'), { metrics: caller });
    const { services, ...rest } = meshOf(mesh);
    const elsewhere = await freePort();
    await server.apply({
      ...rest,
      services: services.map((each) => ({ ...each, protocol: 'http', port: elsewhere })),
    });
    await client.apply({ ...rest, services });
    const host = `order:${ports.out}`;
    const asked = request({ host: '127.0.0.1', port: ports.out, path: '/x', headers: { host } });
    asked.end();
    const [answer] = (await once(asked, 'response')) as [Parameters<typeof text>[0]];
    await text(answer);
    const line = async (registry: MetricRegistry): Promise<string> => {
      for (;;) {
        const found = /^istio_requests_total\{.*$/m.exec(expose(registry));
        if (found !== null) return found[0];
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    assert.match(await line(caller), /reporter="source".*destination_service="order".*response_code="200"/);
    assert.match(
      await line(called),
      /reporter="destination".*source_principal="spiffe:\/\/[^"]*\/sa\/web".*destination_workload="order".*connection_security_policy="mutual_tls"\} 1/,
    );
    assert.match(expose(called), /^istio_request_duration_milliseconds_bucket\{/m);
  });

  test('that are in flight end before the sidecar does', async () => {
    let answer = (): void => undefined;
    const slow = createHttpServer((_req, res) => {
      answer = () => void res.end('late');
    });
    const ports = await portsTo(await listening(slow));
    const { client, server } = await pair({ protocol: 'http', ports });
    const asked = ask(ports.out);
    await once(slow, 'request');
    const drained = Promise.all([client.drain(), server.drain()]);
    await assert.rejects(ask(ports.out), 'nothing new is taken');
    answer();
    assert.equal(await asked, '200 late');
    await drained;
  });
});

test('a port that is taken is refused, the others serve, and it is had when it is free', async () => {
  const blocker = createServer();
  const taken = await listening(blocker);
  const application = await listening(createHttpServer((_req, res) => res.end('hello')));
  const ports = { out: taken, into: await freePort(), application };
  const authority = authorityOf();
  const sidecar = sidecarOf('order', await identityOf(authority, 'order'));
  const model = meshOf({ protocol: 'http', ports, mtls: 'permissive' });
  const [refused] = await sidecar.apply(model);
  assert.deepEqual(
    [refused?.part, /EADDRINUSE/.test(refused?.message ?? '')],
    [`service order:${taken}`, true],
  );
  assert.equal(await ask(ports.into), '200 hello');
  blocker.close();
  await once(blocker, 'close');
  assert.deepEqual(await sidecar.apply(model), []);
  assert.equal(await ask(taken), '200 hello');
});
