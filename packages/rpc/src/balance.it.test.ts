import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Client, createClient } from '@connectrpc/connect';
import { embeddedRegistry } from '@heddle/discovery/embedded';
import { nodeRuntime } from '@heddle/kernel/node';
import { createTransport, type RpcTransport } from './client/create-transport.ts';
import { EchoService } from './gen/heddle/testing/v1/echo_pb.ts';
import { type RpcServer, rpcServer } from './server/rpc-server.ts';
import { echoHandlers } from './testing/echo-handlers.ts';
import { until } from './testing/wait.ts';

const folder = await mkdtemp(join(tmpdir(), 'heddle-rpc-'));
const runtime = nodeRuntime({ name: 'balance', dataFolder: folder, logLevel: 'error' });
const registry = await embeddedRegistry(runtime);
const seen: string[] = [];
const servers = new Map<string, RpcServer>();
const transports: RpcTransport[] = [];
after(async () => {
  for (const transport of transports) transport.close();
  await Promise.all([...servers.values()].map((server) => server.stop()));
  await registry.close();
  await rm(folder, { recursive: true });
});

async function serverOf(name: string): Promise<RpcServer> {
  const known = servers.get(name);
  if (known !== undefined) return known;
  const server = rpcServer({
    runtime,
    routes: (router) => router.service(EchoService, echoHandlers(name, seen)),
  });
  await server.start();
  servers.set(name, server);
  return server;
}

async function register(service: string, weights: Record<string, number>): Promise<void> {
  for (const [id, weight] of Object.entries(weights)) {
    const { address } = await serverOf(id);
    await registry.register({ service, id, weight, address: address.host, port: address.port });
  }
}

function clientOf(service: string): Client<typeof EchoService> {
  const transport = createTransport({ runtime, target: `discovery:///${service}`, registry });
  transports.push(transport);
  return createClient(EchoService, transport);
}

async function tally(echo: Client<typeof EchoService>, count: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let n = 0; n < count; n++) {
    const { instance } = await echo.echo({ text: 'x' });
    counts[instance] = (counts[instance] ?? 0) + 1;
  }
  return counts;
}

test('weights 5:3:2 over real connections: exactly 500, 300 and 200; a new weight needs no new connection', {
  timeout: 30_000,
}, async () => {
  await register('weighted', { a: 50, b: 30, c: 20 });
  const echo = clientOf('weighted');
  assert.deepEqual(await tally(echo, 1000), { a: 500, b: 300, c: 200 });
  const connections = (): number[] => ['a', 'b', 'c'].map((name) => servers.get(name)?.connections ?? -1);
  const before = connections();
  await register('weighted', { a: 10, b: 10, c: 80 });
  await until(() => registry.problem === undefined);
  // The update reaches the client's watch in the turns after; a hundred picks later all counts are of the new weights.
  await tally(echo, 100);
  assert.deepEqual(await tally(echo, 1000), { a: 100, b: 100, c: 800 });
  assert.deepEqual(connections(), before);
});

test('an instance that leaves gets no new call, and finishes what it has', { timeout: 30_000 }, async () => {
  await register('leaving', { d: 100, e: 100 });
  const echo = clientOf('leaving');
  await tally(echo, 4);
  const slow = Array.from({ length: 10 }, () => echo.append({ text: 'slow', delayMs: 300 }));
  await until(() => seen.filter((text) => text === 'slow').length === 10);
  await registry.deregister('leaving', 'd');
  await until(async () => (await tally(echo, 2))['e'] === 2);
  assert.deepEqual(await tally(echo, 20), { e: 20 });
  const instances = (await Promise.all(slow)).map(({ instance }) => instance);
  assert.equal(instances.filter((name) => name === 'd').length, 5);
  await until(() => servers.get('d')?.connections === 0);
});

test('an instance that cannot be reached costs no call, and takes calls again when it is back', {
  timeout: 30_000,
}, async () => {
  await register('broken', { f: 100 });
  const gone = await serverOf('g');
  const { port } = gone.address;
  await gone.stop();
  servers.delete('g');
  await registry.register({ service: 'broken', id: 'g', address: '127.0.0.1', port });
  const echo = clientOf('broken');
  const counts: Record<string, number> = {};
  // Calls with effects: only what was provably not sent may go elsewhere.
  for (let n = 0; n < 50; n++) {
    const { instance } = await echo.append({ text: 'x' });
    counts[instance] = (counts[instance] ?? 0) + 1;
  }
  assert.deepEqual(counts, { f: 50 });
  const address = { host: '127.0.0.1', port };
  const back = rpcServer({
    runtime,
    address,
    routes: (router) => router.service(EchoService, echoHandlers('g')),
  });
  await back.start();
  servers.set('g', back);
  let seen = false;
  const look = async (): Promise<void> => {
    while (!seen) seen = (await echo.append({ text: 'x', delayMs: 5 })).instance === 'g';
  };
  await look();
});

test('no instance: unavailable, provably not sent, with the reason', { timeout: 30_000 }, async () => {
  const { address } = await serverOf('a');
  await registry.register({
    service: 'resting',
    id: 'x',
    state: 'maintenance',
    address: address.host,
    port: address.port,
  });
  await assert.rejects(clientOf('resting').append({ text: 'x' }), {
    code: 'unavailable',
    reason: 'NO_INSTANCES',
    sent: false,
    message: /1 not running/,
  });
});
