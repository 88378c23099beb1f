// Each algorithm through a real gateway: a burst gets what the rule allows and not one more, and is told so.
import assert from 'node:assert/strict';
import { nodeRuntime } from '@heddle/kernel/node';
import { Gateway, readGatewayConfig } from '@heddle/proxy';
import { MetricRegistry } from '@heddle/telemetry';
import { type HttpServer, serve } from '@heddle/wire';
import { type Contract, type ContractResult, resultOf } from '../result.ts';

const backend = 'ratelimit-memory';
const burst = 400;
const limit = 50;
// So long that nothing comes back while the burst lasts, however slow the machine is.
const windowMs = 3_600_000;

const rules = [
  { algorithm: 'fixed_window', limit, windowMs },
  { algorithm: 'sliding_window', limit, windowMs },
  { algorithm: 'token_bucket', limit: 1, windowMs, burst: limit },
  { algorithm: 'leaky_bucket', limit: 1, windowMs, burst: limit },
] as const;

/** Each algorithm is a result. */
export const ratelimitMemory: Contract = {
  backend,
  run: async () => {
    const results: ContractResult[] = [];
    for (const rule of rules)
      results.push(
        await resultOf(backend, '', `${rule.algorithm}: exactly ${limit} of ${burst}`, () => check(rule)),
      );
    return results;
  },
};

async function check(rule: object): Promise<void> {
  const runtime = nodeRuntime({ name: backend, logLevel: 'error' });
  const rateLimit = [{ name: 'each', key: ['ip', 'header:x-device'], rule }];
  const routes = [{ path: '/', respond: { status: 200, body: 'ok' }, rateLimit }];
  const config = readGatewayConfig(JSON.stringify({ routes }), backend);
  const gateway = new Gateway({ config, runtime, metrics: new MetricRegistry() });
  const front = await serve(gateway.service, { runtime, address: { host: '127.0.0.1', port: 0 } });
  try {
    const answers = await Promise.all(Array.from({ length: burst }, () => ask(front, 'a')));
    const admitted = answers.filter(({ status }) => status === 200);
    assert.equal(admitted.length, limit, 'admitted');
    const refused = answers.find(({ status }) => status === 429);
    assert.ok(Number(refused?.headers.get('retry-after')) >= 1, 'Retry-After');
    assert.match(refused?.headers.get('ratelimit') ?? '', /^"each";r=0;t=\d+$/);
    assert.match(refused?.headers.get('ratelimit-policy') ?? '', /^"each";q=\d+$/);
    assert.equal((await ask(front, 'b')).status, 200, 'another key');
  } finally {
    await front.stop();
    await gateway.drain();
  }
}

async function ask({ address }: HttpServer, device: string): Promise<Response> {
  const answer = await fetch(`http://127.0.0.1:${address.port}/`, { headers: { 'x-device': device } });
  await answer.arrayBuffer();
  return answer;
}
