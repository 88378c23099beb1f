// A stock Envoy as the gateway of a mesh: TLS that it ends, asks certificates for, and passes on, and connections.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { nodeRuntime } from '@heddle/kernel/node';
import { CertificateService, makeRequest, makeRoot } from '@heddle/security/identity';
import { type Backend, startBackend } from '../../../../../scripts/contracts/mesh/scenarios/http-backend.ts';
import { answers } from '../../../../../scripts/contracts/mesh/scenarios/waiting.ts';
import { isMissing, obtain, type Running } from '../../../../../scripts/engines/engine.ts';
import { envoy, startXdsEnvoy } from '../../../../../scripts/engines/envoy.ts';
import { freePort } from '../../../../../scripts/engines/running.ts';
import { StartedCli } from '../../node/started-cli.ts';

const token = 'a-token-for-this-test-alone';
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-gateway-'));
const file = (name: string): string => path.join(folder, name);
const found = await obtain(envoy);
const missing = isMissing(found) ? found.missing : undefined;
const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });

interface Pair {
  readonly cert: string;
  readonly key: string;
}

const dayMs = 86_400_000;
const authority = makeRoot('example', runtime.clock.wallMs(), dayMs, runtime.random.bytes(16));
const stranger = makeRoot('elsewhere', runtime.clock.wallMs(), dayMs, runtime.random.bytes(16));
const pairOf = (host: string, by = authority): Pair => {
  const service = new CertificateService({ runtime, trustDomain: 'example', authority: by });
  const { request, privateKey } = makeRequest();
  return { cert: service.issueServer([host], request, dayMs).certificates, key: privateKey };
};

const indented = (text: string): string => text.trim().replaceAll('\n', '\n    ');
const secret = (name: string, { cert, key }: Pair, ca = ''): string => `
apiVersion: v1
kind: Secret
metadata: { name: ${name}, namespace: shop }
stringData:
  tls.crt: |
    ${indented(cert)}
  tls.key: |
    ${indented(key)}
${ca === '' ? '' : `  ca.crt: |\n    ${indented(ca)}`}
---`;

interface Ports {
  readonly secure: number;
  readonly passed: number;
  readonly plain: number;
  readonly backend: number;
  readonly tls: number;
  readonly echo: number;
}

const rules = ({
  secure,
  passed,
  plain,
  backend,
  tls,
  echo,
}: Ports): string => `${secret('www', pairOf('www.example'))}
${secret('inside', pairOf('inside.example'), authority.root)}
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: edge, namespace: shop }
spec: { address: 127.0.0.1, labels: { app: edge }, serviceAccount: edge }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: shop }
spec:
  selector: { app: edge }
  servers:
    - port: { number: ${secure}, name: https, protocol: HTTPS }
      bind: 127.0.0.1
      hosts: [www.example]
      tls: { mode: SIMPLE, credentialName: www }
    - port: { number: ${secure}, name: https-inside, protocol: HTTPS }
      bind: 127.0.0.1
      hosts: [inside.example]
      tls: { mode: MUTUAL, credentialName: inside, subjectAltNames: [friend.example] }
    - port: { number: ${passed}, name: tls, protocol: TLS }
      bind: 127.0.0.1
      hosts: ["*.passed.example"]
      tls: { mode: PASSTHROUGH }
    - port: { number: ${plain}, name: tcp, protocol: TCP }
      bind: 127.0.0.1
      hosts: ["*"]
    - port: { number: ${plain + 1}, name: auto, protocol: TLS }
      bind: 127.0.0.1
      hosts: ["*.auto.example"]
      tls: { mode: AUTO_PASSTHROUGH }
---
${service('web.example', 'HTTP', backend)}
${service('a.passed.example', 'TLS', tls)}
${service('echo.example', 'TCP', echo)}
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: edge, namespace: shop }
spec:
  hosts: [www.example, inside.example]
  gateways: [edge]
  http: [{ route: [{ destination: { host: web.example, port: { number: ${backend} } } }] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: passed, namespace: shop }
spec:
  hosts: ["*.passed.example"]
  gateways: [edge]
  tls:
    - match: [{ port: ${passed}, sniHosts: [a.passed.example] }]
      route: [{ destination: { host: a.passed.example, port: { number: ${tls} } } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: echo, namespace: shop }
spec:
  hosts: ["*"]
  gateways: [edge]
  tcp:
    - match: [{ port: ${plain} }]
      route: [{ destination: { host: echo.example, port: { number: ${echo} } } }]
`;

function service(host: string, protocol: string, port: number): string {
  return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${host.replaceAll('.', '-')}, namespace: shop }
spec:
  hosts: [${host}]
  addresses: [127.77.0.${port % 250}]
  resolution: STATIC
  ports: [{ number: ${port}, name: a, protocol: ${protocol} }]
  endpoints: [{ address: 127.0.0.1 }]
---`;
}

let plane: StartedCli;
let place = '';
let proxy: Running | undefined;
let backend: Backend;
let ports: Ports;
const passedTo = https.createServer(
  ((pair) => ({ cert: pair.cert, key: pair.key }))(pairOf('a.passed.example')),
  (_request, response) => response.end('passed on'),
);
const echoing = createServer((socket) => socket.end('told'));

const listening = async (server: typeof echoing | typeof passedTo): Promise<number> => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
};

before(async () => {
  if (missing !== undefined) return;
  backend = await startBackend('web');
  ports = {
    secure: await freePort(),
    passed: await freePort(),
    plain: await freePort(),
    backend: backend.port,
    tls: await listening(passedTo),
    echo: await listening(echoing),
  };
  writeFileSync(file('mesh.yaml'), rules(ports));
  const args = ['control-plane', '--port', '0', '--data', file('data'), '--mesh', file('mesh.yaml')];
  plane = new StartedCli(args, { HEDDLE_REGISTRY_TOKEN: token });
  [, place = ''] = await plane.printed(/http:\/\/(127\.0\.0\.1:\d+)/);
  const response = await fetch(`http://${place}/v1/mesh/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ spiffeId: 'spiffe://cluster.local/ns/shop/sa/edge' }),
  });
  const { hostname: host, port } = new URL(`http://${place}`);
  proxy = await startXdsEnvoy({
    controlPlane: { host, port: Number(port) },
    node: { id: 'edge', cluster: 'shop' },
    token: ((await response.json()) as { readonly token: string }).token,
  });
});

after(async () => {
  if (missing !== undefined) return;
  await proxy?.stop();
  plane.child.kill('SIGTERM');
  await plane.exited;
  await backend.stop();
  for (const server of [passedTo, echoing]) server.close();
  passedTo.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

/** What is answered, with the status if it is no 200; what went wrong otherwise. */
const get = (port: number, servername: string, shown?: Pair): Promise<string> =>
  new Promise((resolve) => {
    const request = https.get(
      {
        host: '127.0.0.1',
        port,
        servername,
        headers: { host: servername },
        ca: authority.root,
        agent: false,
        ...shown,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve(response.statusCode === 200 ? text : `${response.statusCode}`));
        response.on('error', (error) => resolve(error.message));
      },
    );
    request.on('error', (error) => resolve(error.message));
  });

describe('Envoy as a gateway', { skip: missing, timeout: 300_000 }, () => {
  test('ends TLS with the certificate of the name that is asked for', async () => {
    await answers(() => get(ports.secure, 'www.example'), 'web');
  });

  test('lets in whom MUTUAL names, and nobody without a certificate, by another authority or of another name', async () => {
    await answers(() => get(ports.secure, 'inside.example', pairOf('friend.example')), 'web');
    for (const shown of [undefined, pairOf('friend.example', stranger), pairOf('other.example')])
      assert.notEqual(await get(ports.secure, 'inside.example', shown), 'web');
  });

  test('passes on what PASSTHROUGH says by the name that TLS asks for, and nothing else', async () => {
    await answers(() => get(ports.passed, 'a.passed.example'), 'passed on');
    assert.notEqual(await get(ports.passed, 'b.passed.example'), 'passed on');
  });

  test('passes on connections', async () => {
    const tell = (): Promise<string> =>
      new Promise((resolve) => {
        let text = '';
        const socket = connect(ports.plain, '127.0.0.1', () => socket.write('?'));
        socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        socket.on('close', () => resolve(text)).on('error', () => {});
      });
    await answers(tell, 'told');
  });

  test('what it cannot do is told', async () => {
    const response = await fetch(`http://${place}/v1/mesh`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { inexpressible } = (await response.json()) as {
      readonly inexpressible: readonly { readonly what: string }[];
    };
    assert.ok(inexpressible.some(({ what }) => what.includes('AUTO_PASSTHROUGH')));
  });
});
