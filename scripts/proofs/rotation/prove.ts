import http from 'node:http';
import tls from 'node:tls';
import { Call, HeddleError, type TlsSource } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type AuthorityMaterial, CertificateService } from '@heddle/security/identity';
import { emptyBody, type Endpoint, endpoint, Fields } from '@heddle/wire';
import { meshAuthority, type Shown, shown } from '../../contracts/mesh/scenarios/mesh-identities.ts';
import type { Place } from '../../engines/engine.ts';
import { newRoot, type Stage, startStage } from './stage.ts';

/** How long, and how long a certificate lives. */
export interface RotationOptions {
  readonly runMs: number;
  readonly lifeMs: number;
  readonly onStep: (step: string) => void;
}

/** What came of it. */
export interface RotationOutcome {
  readonly calls: number;
  /** What went wrong, each kind once; none is what is wanted. */
  readonly failed: readonly string[];
  /** Certificates that our own client has had. */
  readonly renewals: number;
  /** Who should not come in, and whether they were refused by Envoy and by our own server. */
  readonly strangers: Readonly<Record<string, boolean>>;
}

const runtime = nodeRuntime({ name: 'rotation', logLevel: 'error' });
const orderUri = 'spiffe://cluster.local/ns/shop/sa/order';

/**
 * Calls without a pause through two Envoys, from our client to an Envoy, and from our client to our server, while
 * certificates are renewed and the root is rotated in its three steps.
 */
export async function proveRotation({ runMs, lifeMs, onStep }: RotationOptions): Promise<RotationOutcome> {
  const stage = await startStage(lifeMs);
  let renewals = 0;
  stage.web.onRenewed(() => (renewals += 1));
  const load = new Load(stage);
  try {
    await load.warm();
    onStep('all answer; calls begin');
    const untilMs = performance.now() + runMs;
    const running = load.run(untilMs);
    const old = await rotateRoot(stage, runMs, onStep);
    await running;
    onStep('calls have ended');
    const strangers = await refuseStrangers(stage, old);
    return { calls: load.calls, failed: [...load.failed], renewals, strangers };
  } finally {
    load.close();
    await stage.stop();
  }
}

/** Each step a quarter of the run after the one before, so that everybody has heard of it. */
async function rotateRoot(
  { authority, material, secrets, web, order }: Stage,
  runMs: number,
  onStep: (step: string) => void,
): Promise<AuthorityMaterial> {
  const next = newRoot();
  const everybody = async (step: string): Promise<void> => {
    await Promise.all([secrets.renewAll(), web.renewNow(), order.renewNow()]);
    onStep(step);
    await passed(runMs / 4);
  };
  await passed(runMs / 8);
  authority.introduce(next);
  await everybody('another root is believed too');
  authority.switchTo(next);
  await everybody('it signs');
  authority.retire(material.root);
  await everybody('the old root is believed no more');
  return material;
}

/** Calls of three kinds, on connections that are kept and on new ones. */
class Load {
  calls = 0;
  readonly failed = new Set<string>();
  readonly #stage: Stage;
  readonly #endpoints: readonly Endpoint[];

  constructor(stage: Stage) {
    this.#stage = stage;
    const { server, own } = stage.places;
    this.#endpoints = [server, own].flatMap((address) => [
      reach(address, stage.web, 1_000_000),
      // A handshake for each call, with what is shown and believed at that moment.
      reach(address, stage.web, 1),
    ]);
  }

  /** Until everybody has heard of everybody. */
  async warm(): Promise<void> {
    const giveUpAt = performance.now() + 30_000;
    for (;;) {
      const said = await Promise.all(this.#kinds().map((kind) => kind()));
      if (said.every((each) => each === undefined)) return;
      if (performance.now() > giveUpAt) throw new Error(`not all answer: ${said.join('; ')}`);
      await passed(50);
    }
  }

  async run(untilMs: number): Promise<void> {
    const one = async (kind: () => Promise<string | undefined>): Promise<void> => {
      while (performance.now() < untilMs) {
        const problem = await kind();
        this.calls += 1;
        if (problem !== undefined) this.failed.add(problem);
        await passed(2);
      }
    };
    await Promise.all(this.#kinds().map(one));
  }

  close(): void {
    for (const each of this.#endpoints) each.close();
  }

  #kinds(): readonly (() => Promise<string | undefined>)[] {
    const { client } = this.#stage.places;
    return [() => plainCall(client), ...this.#endpoints.map((each) => () => ownCall(each))];
  }
}

function reach(address: Place, source: TlsSource, requestsPerConnection: number): Endpoint {
  const limits = { requestsPerConnection, connections: 4 };
  return endpoint({ runtime, address, protocol: 'http1', limits, tls: { source, peerUri: orderUri } });
}

/** Through an Envoy, which speaks TLS for us. Undefined: all went well. */
function plainCall({ host, port }: Place): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = http.get({ host, port, headers: { host: 'order.shop' }, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve(text === 'order' ? undefined : `through Envoy: ${response.statusCode} ${text}`),
      );
    });
    request.on('error', (error) => resolve(`through Envoy: ${error.message}`));
  });
}

async function ownCall({ request }: Endpoint): Promise<string | undefined> {
  const call = Call.root(runtime, runtime.clock.nowMs() + 10_000);
  try {
    const { status, body } = await request(
      {
        method: 'GET',
        scheme: 'https',
        authority: 'order.shop',
        path: '/',
        fields: new Fields(),
        body: emptyBody,
      },
      call,
    );
    await body.bytes(1000);
    return status === 200 ? undefined : `our client: ${status}`;
  } catch (thrown) {
    const { code, reason, message } = HeddleError.from(thrown);
    return `our client: ${code} ${reason} ${message}`;
  }
}

/** Everybody who should be refused knocks at both doors; the one who may come in shows that the doors are open. */
async function refuseStrangers(
  { authority, places, web }: Stage,
  old: AuthorityMaterial,
): Promise<Readonly<Record<string, boolean>>> {
  const trustDomain = 'cluster.local';
  const past = { ...runtime, clock: { ...runtime.clock, wallMs: () => Date.now() - 600_000 } };
  const of = (service: CertificateService): Shown => ({ ...shown(service, 'web'), trust: authority.trust });
  const current = web.held;
  const fresh = { ...current.svid, privateKey: current.privateKey };
  const strangers: Readonly<Record<string, Shown | undefined>> = {
    expired: of(
      new CertificateService({ runtime: past, trustDomain, authority: authority.signing, lifeMs: 1000 }),
    ),
    'of another mesh': { ...shown(meshAuthority('elsewhere'), 'web', 'elsewhere'), trust: authority.trust },
    'of the retired root': of(new CertificateService({ runtime, trustDomain, authority: old })),
    'without a certificate': undefined,
  };
  const results: [string, boolean][] = [];
  for (const [door, place] of [
    ['Envoy', places.server],
    ['our server', places.own],
  ] as const) {
    results.push([`${door} lets in who may come`, await isLetIn(place, fresh)]);
    for (const [who, certificate] of Object.entries(strangers))
      results.push([`${door} refuses one ${who}`, !(await isLetIn(place, certificate))]);
    results.push([`${door} refuses plaintext`, (await plainCall(place)) !== undefined]);
  }
  return Object.fromEntries(results);
}

/** Whether a call gets an answer over TLS with that certificate. */
function isLetIn({ host, port }: Place, certificate: Shown | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = tls.connect({
      host,
      port,
      rejectUnauthorized: false,
      ...(certificate && { cert: certificate.certificates, key: certificate.privateKey }),
    });
    let text = '';
    socket.once('secureConnect', () =>
      socket.write('GET / HTTP/1.1\r\nhost: order.shop\r\nconnection: close\r\n\r\n'),
    );
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', () => {});
    socket.once('close', () => resolve(text.startsWith('HTTP/1.1 200 ')));
  });
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
