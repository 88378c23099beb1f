import assert from 'node:assert/strict';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { Call, HeddleError, type Random } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { seededRandom } from '@heddle/kernel/simulated';
import { RetryBudget } from '@heddle/traffic';
import { Fields, type HttpRequest, type HttpService, wholeBody } from '@heddle/wire';
import { httpClient } from './http/http-client.ts';
import { httpServer, type ServerPart } from './server/rpc-server.ts';

// Real sockets through a proxy that resets a fifth of the exchanges, half of them when the work has been done already,
// and sends a twentieth of the replies twice. `HEDDLE_PROOF_CALLS=10000` makes as many calls as the proof is to have.

const count = Number(process.env['HEDDLE_PROOF_CALLS'] ?? 1500);
const runtime = nodeRuntime({ name: 'faulty', logLevel: 'error' });
const done = new Map<string, number>();
let requests = 0;
let server: ServerPart;
let proxies: Server[];

before(async () => {
  const service: HttpService = async (req) => {
    const id = new TextDecoder().decode(await req.body.bytes(1000));
    requests++;
    done.set(id, (done.get(id) ?? 0) + 1);
    return { status: 200, fields: new Fields(), body: wholeBody(new TextEncoder().encode(id)) };
  };
  server = httpServer(service, { runtime });
  await server.start();
  proxies = await Promise.all([1, 2, 3].map((seed) => faultyProxy(server.address.port, seededRandom(seed))));
});
after(async () => {
  for (const proxy of proxies) proxy.close();
  await server.stop();
});

type Fate = 'pass' | 'reset before' | 'reset after' | 'twice';

function fate(random: Random): Fate {
  const draw = random.float();
  if (draw < 0.1) return 'reset before';
  if (draw < 0.2) return 'reset after';
  return draw < 0.25 ? 'twice' : 'pass';
}

/** Between one connection of the client and one of the server; draws the fate of each request. */
function faultyProxy(port: number, random: Random): Promise<Server> {
  const accept = (client: Socket): void => {
    const upstream = connect(port, '127.0.0.1');
    let now: Fate = 'pass';
    client.setNoDelay(true);
    client.on('data', (bytes: Buffer) => {
      now = fate(random);
      if (now === 'reset before') client.resetAndDestroy();
      else upstream.write(bytes);
    });
    upstream.on('data', (bytes: Buffer) => {
      if (now === 'reset after') client.resetAndDestroy();
      else client.write(now === 'twice' ? Buffer.concat([bytes, bytes]) : bytes);
    });
    for (const socket of [client, upstream]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
  };
  return new Promise((resolve) => {
    const proxy = createServer(accept).listen(0, '127.0.0.1', () => resolve(proxy));
  });
}

interface Outcome {
  readonly id: string;
  readonly error: HeddleError | undefined;
}

/** Makes calls of one kind, each with content of its own; gives what became of each. */
async function makeCalls(method: string, kind: string, budget: RetryBudget): Promise<Outcome[]> {
  const ports = proxies.map((proxy) => (proxy.address() as { port: number }).port);
  const client = httpClient({
    runtime,
    target: `static:///${ports.map((port) => `127.0.0.1:${port}`).join(',')}`,
    budget,
    attempts: 6,
    backoff: { baseMs: 1, maxMs: 10 },
    outliers: false,
  });
  const outcomes: Outcome[] = [];
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < count) {
      const id = `${kind}-${next++}`;
      const call = Call.root(runtime, runtime.clock.nowMs() + 20_000);
      try {
        const body = wholeBody(new TextEncoder().encode(id));
        const request: HttpRequest = {
          method,
          scheme: 'http',
          authority: '',
          path: '/',
          fields: new Fields(),
          body,
        };
        const answer = await client.service(request, call);
        const text = new TextDecoder().decode(await answer.body.bytes(1000));
        assert.equal(text, id, 'an answer went to another call');
        outcomes.push({ id, error: undefined });
      } catch (thrown) {
        outcomes.push({ id, error: HeddleError.from(thrown) });
      } finally {
        call.end();
      }
    }
  };
  await Promise.all(Array.from({ length: 20 }, caller));
  client.close();
  return outcomes;
}

test('resets and doubled replies: no effect that is not idempotent happens twice, whatever the client is told', {
  timeout: 120_000,
}, async () => {
  const outcomes = await makeCalls('POST', 'post', new RetryBudget(runtime.clock, { ratio: 1 }));
  assert.equal(outcomes.length, count);
  const twice = outcomes.filter(({ id }) => (done.get(id) ?? 0) > 1);
  assert.deepEqual(twice, []);
  const lost = outcomes.filter(({ id, error }) => error === undefined && done.get(id) !== 1);
  assert.deepEqual(lost, [], 'successes that never happened');
  // The proof would be none if nothing had been hit.
  const failed = outcomes.filter(({ error }) => error !== undefined);
  assert.ok(failed.length > count * 0.05, `${failed.length} failed`);
  for (const { error } of failed) assert.ok(error?.code === 'unavailable', String(error));
  const unsent = failed.filter(({ error }) => error?.sent === false);
  for (const { id } of unsent) assert.equal(done.get(id), undefined, 'said not to be sent, and it happened');
});

test('what is declared idempotent is repeated until it succeeds, within the budget', {
  timeout: 120_000,
}, async () => {
  const before = requests;
  const generous = await makeCalls('PUT', 'put', new RetryBudget(runtime.clock, { ratio: 1 }));
  const failed = generous.filter(({ error }) => error !== undefined);
  assert.ok(failed.length <= count * 0.005, `${failed.length} failed`);
  assert.ok(requests > before + count, 'some were repeated');
  assert.ok(generous.some(({ id }) => (done.get(id) ?? 0) > 1));

  const calm = requests;
  await makeCalls('PUT', 'tight', new RetryBudget(runtime.clock, { ratio: 0.05, floorPerSecond: 0 }));
  assert.ok(requests - calm <= count * 1.05, `${requests - calm} requests for ${count} calls`);
});
