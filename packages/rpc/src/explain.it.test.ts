import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { after, before, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { TlsStore } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import { MemoryRateStore } from '@heddle/traffic';
import { DecisionLog, type DecisionRecord } from '@heddle/upstream';
import { createTransport, type TransportOptions } from './client/create-transport.ts';
import { createClient } from './connect/create-client.ts';
import { EchoService } from './gen/heddle/testing/v1/echo_pb.ts';
import { rpcServer } from './server/rpc-server.ts';
import { EchoFleet, type EchoProcess } from './testing/node/echo-fleet.ts';
import { echoHandlers } from './testing/echo-handlers.ts';

// Each kind of failure is made to happen, and the record of a call that met it must name it.

let fleet: EchoFleet;
let a: EchoProcess;
let b: EchoProcess;
before(async () => {
  fleet = await EchoFleet.open();
  [a, b] = await Promise.all([fleet.start('a', { zone: 'z1' }), fleet.start('b', { zone: 'z2' })]);
});
after(() => fleet.close());

type Request = { text?: string; delayMs?: number; failWith?: number };

/** Makes one call that fails, and gives its record. */
async function failing(
  options: Partial<TransportOptions>,
  request: Request = { text: 'x' },
  timeoutMs = 5000,
  method: 'echo' | 'append' = 'echo',
): Promise<DecisionRecord> {
  const { runtime, registry } = fleet;
  const decisions = new DecisionLog({ process: 'test', sampleRatio: 0 });
  const transport = createTransport({
    runtime,
    registry,
    target: 'discovery:///echo',
    decisions,
    ...options,
  });
  try {
    const error = await createClient(EchoService, transport)
      [method](request, { timeoutMs })
      .then(
        () => assert.fail('the call went well'),
        (thrown: unknown) => HeddleError.from(thrown),
      );
    const [record, ...others] = decisions.find();
    assert.ok(record !== undefined && others.length === 0, 'one record');
    assert.equal(record.outcome.reason, error.reason);
    assert.match(record.traceId ?? '', /^[0-9a-f]{32}$/);
    return record;
  } finally {
    transport.close();
  }
}

async function closedPort(): Promise<number> {
  const server = await listen(() => {});
  const { port } = server.address() as { port: number };
  await new Promise<unknown>((resolve) => server.close(resolve));
  return port;
}

function listen(onConnection: Parameters<typeof createServer>[1]): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer(onConnection).listen(0, '127.0.0.1', () => resolve(server));
  });
}

test('connection refused: the address, and what the system said', async () => {
  const port = await closedPort();
  const record = await failing({ target: `127.0.0.1:${port}`, attempts: 2 });
  assert.match(record.cause?.text ?? '', new RegExp(`127\\.0\\.0\\.1:${port}`));
  assert.match(record.cause?.text ?? '', /ECONNREFUSED|refused/i);
  assert.equal(record.outcome.sent, false);
  assert.deepEqual(
    record.attempts.map(({ next }) => next),
    ['retry after 0 ms', 'given up: attempts_used_up'],
  );
  assert.equal(record.candidates[0]?.exclusion, 'unreachable');
});

test('reset in the middle of a call: the instance, that it may have happened, and why it is not repeated', async () => {
  // Answers as HTTP/2 does at first, and breaks off when the request comes.
  const server = await listen((socket) => {
    socket.on('error', () => {});
    socket.write(Buffer.from('000000040000000000', 'hex'));
    socket.on('data', (bytes) => {
      if (bytes.includes('echo') || bytes.length > 100) setImmediate(() => socket.resetAndDestroy());
    });
  });
  const { port } = server.address() as { port: number };
  const record = await failing({ target: `127.0.0.1:${port}` }, { text: 'x'.repeat(200) }, 5000, 'append');
  server.close();
  assert.match(record.cause?.reason ?? '', /CONNECTION|RESET/);
  assert.match(record.cause?.text ?? '', new RegExp(`instance .*127\\.0\\.0\\.1:${port}`));
  assert.equal(record.outcome.sent, true);
  assert.equal(record.attempts[0]?.next, 'given up: not_idempotent');
});

test('the deadline passes while the server works: which instance was waited for, and nothing is left', async () => {
  const record = await failing({}, { text: 'x', delayMs: 3000 }, 150);
  assert.equal(record.cause?.reason, 'DEADLINE_EXCEEDED');
  assert.match(record.cause?.text ?? '', /instance [ab] at .*attempt 1 was waiting/);
  assert.ok((record.deadlineLeftMs ?? 1) <= 0);
});

test('the server answers with an error: its code and reason', async () => {
  const record = await failing({}, { text: 'x', failWith: 13 });
  assert.deepEqual([record.outcome.code, record.cause?.reason], ['internal', 'ASKED_FOR']);
  assert.match(record.cause?.text ?? '', /instance [ab] at/);
});

test('no instances: nothing was called, and what the registry said', async () => {
  const record = await failing({ target: 'discovery:///nobody' });
  assert.equal(record.cause?.reason, 'NO_INSTANCES');
  assert.match(record.cause?.text ?? '', /no instance was called/);
  assert.equal(record.candidateCount, 0);
  assert.ok(record.snapshot !== undefined);
});

test('the subset is empty: how many are outside of it', async () => {
  const record = await failing({ target: 'discovery:///echo?version=v9' });
  assert.equal(record.cause?.reason, 'SUBSET_EMPTY');
  assert.deepEqual(record.snapshot?.leftOut, { subset: 2 });
});

test('the registry does not answer: that, and not "no instances"', async () => {
  const { registry } = fleet;
  const silent = { watch: (_name: string, signal?: AbortSignal) => silence(signal), problem: undefined };
  assert.ok(registry);
  const record = await failing({ registry: silent as unknown as typeof registry }, {}, 200);
  assert.equal(record.snapshot, undefined);
  assert.match(record.cause?.text ?? '', /no instance was called/);
  assert.equal(record.attempts[0]?.instance, undefined);
});

/** Says nothing until it is to end. */
function silence(signal?: AbortSignal): AsyncIterable<never> {
  const next = async (): Promise<IteratorResult<never>> => {
    await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    return { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

test('overloaded: the server refuses what it has no room for, and says so', async () => {
  const { runtime } = fleet;
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const server = rpcServer({
    runtime,
    maxCalls: 1,
    maxWaiting: 0,
    routes: (router) =>
      router.service(EchoService, {
        echo: async () => {
          await held;
          return {};
        },
      }),
  });
  await server.start();
  const target = `127.0.0.1:${server.address.port}`;
  const transport = createTransport({ runtime, target });
  const first = createClient(EchoService, transport).echo({});
  while (server.connections === 0) await new Promise((resolve) => setImmediate(resolve));
  const record = await failing({ target, attempts: 1 });
  release();
  await first;
  transport.close();
  await server.stop();
  assert.deepEqual([record.outcome.code, record.cause?.reason], ['resource_exhausted', 'CONCURRENCY_LIMIT']);
});

test('the breaker is open: whose, and since when it is worth trying again', async () => {
  const port = await closedPort();
  const { runtime } = fleet;
  const decisions = new DecisionLog({ process: 'test', sampleRatio: 0 });
  const options = { attempts: 1, decisions, serviceBreaker: { consecutiveFailures: 2 } };
  const transport = createTransport({ runtime, target: `127.0.0.1:${port}`, ...options });
  const echo = createClient(EchoService, transport);
  for (let n = 0; n < 3; n++) await assert.rejects(echo.echo({}));
  transport.close();
  const [newest, first] = decisions.find();
  assert.equal(newest?.cause?.reason, 'BREAKER_OPEN');
  assert.match(newest.cause.text, /kept failing; it may be tried again in \d+ ms.*no instance was called/);
  assert.equal(newest.layers['service breaker'], 'open');
  assert.notEqual(first?.cause?.reason, 'BREAKER_OPEN');
});

test('over the rate limit: how much of it was left, and when there will be more', async () => {
  const { runtime } = fleet;
  const rule = { algorithm: 'token_bucket', limit: 1, windowMs: 60_000 } as const;
  const limits = (): { key: string; rule: typeof rule; cost: number }[] => [{ key: 'all', rule, cost: 1 }];
  const rateLimit = { store: new MemoryRateStore(runtime.clock), limits };
  const { registry } = fleet;
  const transport = createTransport({ runtime, registry, target: 'discovery:///echo', rateLimit });
  await createClient(EchoService, transport).echo({});
  transport.close();
  const record = await failing({ rateLimit });
  assert.deepEqual([record.outcome.code, record.cause?.reason], ['resource_exhausted', 'RATE_LIMITED']);
  assert.equal(record.layers['rate limit'], '0 of 1 left');
});

test('unhealthy: no call goes there, and the record says why', async () => {
  const { registry } = fleet;
  await registry.register({
    id: 'ill',
    service: 'ill',
    address: '127.0.0.1',
    port: a.port,
    health: 'critical',
  });
  const record = await failing({ target: 'discovery:///ill', attempts: 1 }, { text: 'x', failWith: 14 });
  // The only one, and it is ill: too few are well, so that is not heeded, and the record says so.
  assert.equal(record.snapshot?.panic, true);
  assert.equal(record.candidates[0]?.health, 'critical');
  assert.match(record.cause?.text ?? '', /instance ill at/);
});

test('draining: no call goes there, and the record says why', async () => {
  await fleet.registry.register({
    id: 'leaving',
    service: 'leaving',
    address: '127.0.0.1',
    port: a.port,
    state: 'draining',
  });
  const record = await failing({ target: 'discovery:///leaving' });
  assert.equal(record.cause?.reason, 'NO_INSTANCES');
  assert.deepEqual(record.snapshot?.leftOut, { state: 1 });
  assert.match(record.cause?.text ?? '', /1 not running/);
});

test('a certificate that is not believed: what is wrong with it', async () => {
  const { runtime } = fleet;
  const [ours, theirs] = ['ours', 'theirs'].map((name) => new TestAuthority(name, runtime.clock.wallMs()));
  assert.ok(ours !== undefined && theirs !== undefined);
  const identity = theirs.issue({ addresses: ['127.0.0.1'] });
  const server = rpcServer({
    runtime,
    tls: { source: new TlsStore({ identities: [identity], trust: theirs.certificate }) },
    routes: (router) => router.service(EchoService, echoHandlers('tls')),
  });
  await server.start();
  const record = await failing({
    target: `127.0.0.1:${server.address.port}`,
    tls: { source: new TlsStore({ identities: [], trust: ours.certificate }) },
  });
  await server.stop();
  assert.equal(record.outcome.code, 'unauthenticated');
  assert.match(record.cause?.text ?? '', /certificate/i);
});

test('of calls that go well one in some is kept, of those that were tried again every one', async () => {
  const { runtime, registry } = fleet;
  const decisions = new DecisionLog({ process: 'test', sampleRatio: 0.1 });
  const transport = createTransport({
    runtime,
    registry,
    target: 'discovery:///echo',
    policy: 'round_robin',
    decisions,
  });
  const echo = createClient(EchoService, transport);
  for (let n = 0; n < 500; n++) await echo.echo({ text: 'x' });
  transport.close();
  const records = decisions.find({ limit: 500 });
  assert.ok(records.length > 20 && records.length < 100, String(records.length));
  const [one] = records;
  assert.equal(one?.operation, 'heddle.testing.v1.EchoService/Echo');
  assert.equal(one.policy, 'round_robin');
  const places = one.candidates.map(({ id, zone }) => `${id} in ${zone}`);
  assert.deepEqual(
    places.toSorted((x, y) => x.localeCompare(y)),
    ['a in z1', 'b in z2'],
  );
  assert.equal(one.outcome.code, 'ok');
  assert.deepEqual(decisions.find({ id: one.traceId ?? '' }), [one]);
  assert.ok([a.id, b.id].includes(one.attempts[0]?.instance ?? ''));
});
