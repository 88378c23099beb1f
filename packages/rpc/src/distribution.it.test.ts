// Who gets the calls, policy by policy, over real connections: counted by the servers that answer.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, createClient } from '@connectrpc/connect';
import { embeddedRegistry } from '@heddle/discovery/embedded';
import { sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { createTransport, type RpcTransport, type TransportOptions } from './client/create-transport.ts';
import { EchoService } from './gen/heddle/testing/v1/echo_pb.ts';
import { type RpcServer, rpcServer } from './server/rpc-server.ts';
import { echoHandlers } from './testing/echo-handlers.ts';
import { until } from './testing/wait.ts';

type Echo = Client<typeof EchoService>;
type Counts = Record<string, number>;

const slowMs = 25;
const names = ['s0', 's1', 's2', 's3', 's4', 'slow'];
const timeout = 60_000;
const folder = await mkdtemp(join(tmpdir(), 'heddle-rpc-'));
const runtime = nodeRuntime({ name: 'distribution', dataFolder: folder, logLevel: 'error' });
const registry = await embeddedRegistry(runtime);
const servers = new Map<string, RpcServer>();
const transports: RpcTransport[] = [];

before(async () => {
  for (const name of names) servers.set(name, await serverOf(name));
});
after(async () => {
  for (const transport of transports) transport.close();
  await Promise.all([...servers.values()].map((server) => server.stop()));
  await registry.close();
  await rm(folder, { recursive: true });
});

async function serverOf(name: string): Promise<RpcServer> {
  const server = rpcServer({
    runtime,
    routes: (router) => router.service(EchoService, echoHandlers(name)),
    layers:
      name === 'slow'
        ? [
            (next) => async (req, call) => {
              await sleep(call.runtime.timers, slowMs, call);
              return next(req, call);
            },
          ]
        : [],
  });
  await server.start();
  return server;
}

interface Stated {
  readonly weight?: number;
  readonly zone?: string;
  readonly region?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

async function register(service: string, instances: Readonly<Record<string, Stated>>): Promise<void> {
  for (const [id, stated] of Object.entries(instances)) {
    const { host, port } = servers.get(id)?.address ?? assert.fail();
    await registry.register({ service, id, address: host, port, ...stated });
  }
}

/** A client whose policy is the one to be looked at, and nothing else. */
function clientOf(service: string, options: Partial<TransportOptions>): Echo {
  const target = `discovery:///${service}`;
  const transport = createTransport({ runtime, target, registry, outliers: false, ...options });
  transports.push(transport);
  return createClient(EchoService, transport);
}

async function tally(echo: Echo, calls: number): Promise<Counts> {
  const counts: Counts = {};
  for (let n = 0; n < calls; n++) {
    const { instance } = await echo.echo({ text: 'x' });
    counts[instance] = (counts[instance] ?? 0) + 1;
  }
  return counts;
}

/** All at once, each open for a while: who has how many of them. */
async function atOnce(echo: Echo, calls: number, headers: Record<string, string> = {}): Promise<Counts> {
  const counts: Counts = {};
  const all = Array.from({ length: calls }, () => echo.echo({ text: 'x', delayMs: 50 }, { headers }));
  for (const { instance } of await Promise.all(all)) counts[instance] = (counts[instance] ?? 0) + 1;
  return counts;
}

/** Pearson's statistic against the shares that the weights ask for. */
function chiSquare(counts: Counts, weights: Readonly<Record<string, number>>): number {
  const calls = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return Object.entries(weights).reduce((sum, [id, weight]) => {
    const expected = (calls * weight) / total;
    return sum + ((counts[id] ?? 0) - expected) ** 2 / expected;
  }, 0);
}

/** What chance exceeds once in ten million runs, by degrees of freedom. */
const limitOf: Readonly<Record<number, number>> = { 2: 32.3, 4: 38.2 };

const five: Readonly<Record<string, Stated>> = { s0: {}, s1: {}, s2: {}, s3: {}, s4: {} };
const keyed: Partial<TransportOptions> = { hashBy: [(req) => req.fields.get('x-key')] };
const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`);

/** Who gets each key, and that it is the same one when asked again. */
async function homes(echo: Echo): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const round of [1, 2]) {
    for (const key of keys) {
      const { instance } = await echo.echo({ text: 'x' }, { headers: { 'x-key': key } });
      if (round === 2) assert.equal(instance, found.get(key), `${key} has moved`);
      found.set(key, instance);
    }
  }
  return found;
}

test('round_robin: exact', { timeout }, async () => {
  await register('turns', five);
  const counts = await tally(clientOf('turns', { policy: 'round_robin' }), 100);
  assert.deepEqual(counts, { s0: 20, s1: 20, s2: 20, s3: 20, s4: 20 });
});

test('weighted_round_robin: exact, and no burst', { timeout }, async () => {
  await register('weights', { s0: { weight: 50 }, s1: { weight: 30 }, s2: { weight: 20 } });
  const echo = clientOf('weights', { policy: 'weighted_round_robin' });
  for (let cycle = 0; cycle < 10; cycle++)
    assert.deepEqual(await tally(echo, 10), { s0: 5, s1: 3, s2: 2 }, `cycle ${cycle}`);
});

test('random and weighted_random: by chance, in the shares that were asked for', { timeout }, async () => {
  await register('chance', { s0: { weight: 50 }, s1: { weight: 30 }, s2: { weight: 20 } });
  const even = chiSquare(await tally(clientOf('chance', { policy: 'random' }), 600), { s0: 1, s1: 1, s2: 1 });
  assert.ok(even < (limitOf[2] ?? 0), `chi-square ${even}`);
  const counts = await tally(clientOf('chance', { policy: 'weighted_random' }), 600);
  const weighted = chiSquare(counts, { s0: 50, s1: 30, s2: 20 });
  assert.ok(weighted < (limitOf[2] ?? 0), `chi-square ${weighted}`);
});

test('least_request: calls that start together see each other; one after the other, chance decides', {
  timeout,
}, async () => {
  await register('least', five);
  const echo = clientOf('least', { policy: 'least_request' });
  assert.deepEqual(await atOnce(echo, 20), { s0: 4, s1: 4, s2: 4, s3: 4, s4: 4 });
  const alone = chiSquare(await tally(echo, 500), { s0: 1, s1: 1, s2: 1, s3: 1, s4: 1 });
  assert.ok(alone < (limitOf[4] ?? 0), `chi-square ${alone}`);
});

test('p2c_ewma: a slow instance gets only what has no choice', { timeout }, async () => {
  await register('latency', { s0: {}, s1: {}, slow: {} });
  const echo = clientOf('latency', { policy: 'p2c_ewma' });
  // Until each has answered once, nobody is known to be slow.
  const seen = new Set<string>();
  await until(async () => {
    seen.add((await echo.echo({ text: 'x' })).instance);
    return seen.size === 3;
  });
  const counts = await tally(echo, 180);
  // Both draws fall on it in one of nine calls: 20 are expected, 60 come once in more than a million of runs.
  assert.ok((counts['slow'] ?? 0) < 60, JSON.stringify(counts));
});

test('ring_hash: a key keeps its instance; when one leaves, its own keys move and no other', {
  timeout,
}, async () => {
  await register('ring', five);
  const echo = clientOf('ring', { policy: 'ring_hash', ...keyed });
  const before = await homes(echo);
  await registry.deregister('ring', 's2');
  await until(async () => [...(await homes(echo)).values()].every((instance) => instance !== 's2'));
  for (const [key, instance] of await homes(echo))
    if (before.get(key) !== 's2') assert.equal(instance, before.get(key), key);
});

test('maglev: even shares, and few keys move', { timeout }, async () => {
  await register('maglev', five);
  const echo = clientOf('maglev', { policy: 'maglev', ...keyed });
  const before = await homes(echo);
  const shares: Counts = {};
  for (const instance of before.values()) shares[instance] = (shares[instance] ?? 0) + 1;
  const spread = chiSquare(shares, { s0: 1, s1: 1, s2: 1, s3: 1, s4: 1 });
  assert.ok(spread < (limitOf[4] ?? 0), `chi-square ${spread}`);
  await registry.deregister('maglev', 's2');
  await until(async () => [...(await homes(echo)).values()].every((instance) => instance !== 's2'));
  const now = await homes(echo);
  const moved = keys.filter((key) => before.get(key) !== 's2' && now.get(key) !== before.get(key)).length;
  assert.ok(moved <= 0.05 * keys.length, `${moved} keys of those who stay have moved`);
});

test('without a key the policies that hash go by chance', { timeout }, async () => {
  await register('unkeyed', five);
  for (const policy of ['ring_hash', 'maglev']) {
    const counts = await tally(clientOf('unkeyed', { policy, ...keyed }), 100);
    assert.equal(Object.keys(counts).length, 5, `${policy}: ${JSON.stringify(counts)}`);
  }
});

test('bounded load: a hot key fills its instance up to the bound, and then the next ones', {
  timeout,
}, async () => {
  await register('hot', five);
  const options: Partial<TransportOptions> = { ...keyed, balancing: { boundedLoad: 1.25 } };
  for (const policy of ['ring_hash', 'maglev']) {
    const counts = await atOnce(clientOf('hot', { ...options, policy }), 40, { 'x-key': 'hot' });
    // 1.25 of a fifth of 40.
    assert.ok(Math.max(...Object.values(counts)) <= 10, `${policy}: ${JSON.stringify(counts)}`);
    assert.ok(Object.keys(counts).length >= 4);
  }
});

test('locality: the own zone, then the own region, then the rest; a zone that is lost costs no call', {
  timeout,
}, async () => {
  const lost = [await serverOf('own0'), await serverOf('own1')];
  for (const [index, each] of lost.entries()) servers.set(`own${index}`, each);
  await register('near', {
    own0: { zone: 'z1', region: 'r1' },
    own1: { zone: 'z1', region: 'r1' },
    s2: { zone: 'z2', region: 'r1' },
    s3: { zone: 'z9', region: 'r9' },
  });
  const balancing = { zone: 'z1', region: 'r1', within: 'round_robin' };
  const echo = clientOf('near', { policy: 'locality', balancing });
  assert.deepEqual(await tally(echo, 40), { own0: 20, own1: 20 });
  await lost[0]?.stop();
  // Half a zone carries half of its calls and a little more (the overprovisioning of Envoy): others go next door.
  const spilled = await tally(echo, 200);
  assert.equal(spilled['own0'], undefined);
  assert.ok((spilled['own1'] ?? 0) > 80 && (spilled['s2'] ?? 0) > 20, JSON.stringify(spilled));
  await lost[1]?.stop();
  assert.deepEqual(await tally(echo, 40), { s2: 40 });
  servers.delete('own0');
  servers.delete('own1');
});

test('priority: a stand-by group takes over when the first is lost, and gives back', {
  timeout,
}, async () => {
  const first = await serverOf('first');
  servers.set('first', first);
  await register('standby', { first: { metadata: { priority: '0' } }, s4: { metadata: { priority: '1' } } });
  const echo = clientOf('standby', { policy: 'priority' });
  assert.deepEqual(await tally(echo, 20), { first: 20 });
  await first.stop();
  assert.deepEqual(await tally(echo, 20), { s4: 20 });
  const again = rpcServer({
    runtime,
    address: first.address,
    routes: (router) => router.service(EchoService, echoHandlers('first')),
  });
  await again.start();
  servers.set('first', again);
  await until(async () => (await echo.echo({ text: 'x' })).instance === 'first');
  assert.deepEqual(await tally(echo, 20), { first: 20 });
});
