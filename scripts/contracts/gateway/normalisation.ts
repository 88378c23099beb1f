// No spelling of a path gets past a rule: raw targets on a real socket, a rule for /admin, and what the upstream got.
import assert from 'node:assert/strict';
import { nodeRuntime } from '@heddle/kernel/node';
import { Gateway, readGatewayConfig } from '@heddle/proxy';
import { MetricRegistry } from '@heddle/telemetry';
import { Fields, type HttpServer, serve, wholeBody } from '@heddle/wire';
import { exchangeRaw } from '../../../packages/wire/src/http1/testdata/raw-peer.ts';
import { type Contract, type ContractResult, resultOf } from '../result.ts';
import { type Fate, targetCases } from './target-cases.ts';

const backend = 'normalisation';
const local = { host: '127.0.0.1', port: 0 };

/** Each row of the table is a result. */
export const normalisation: Contract = {
  backend,
  run: async () => {
    const runtime = nodeRuntime({ name: backend, logLevel: 'error' });
    const seen: string[] = [];
    const upstream = await serve(
      async ({ path }) => {
        seen.push(path);
        return { status: 200, fields: new Fields(), body: wholeBody(Buffer.from('ok')) };
      },
      { runtime, address: local },
    );
    const gateway = new Gateway({ config: configFor(upstream), runtime, metrics: new MetricRegistry() });
    const front = await serve(gateway.service, { runtime, address: local });
    try {
      const results: ContractResult[] = [];
      for (const [target, fate] of targetCases) {
        seen.length = 0;
        const name = JSON.stringify(target);
        results.push(await resultOf(backend, '', name, () => check(target, fate, front.address.port, seen)));
      }
      return results;
    } finally {
      await front.stop();
      await gateway.drain();
      await upstream.stop();
    }
  },
};

function configFor({ address: { port } }: HttpServer): ReturnType<typeof readGatewayConfig> {
  const upstream = `127.0.0.1:${port}`;
  const keys = [{ id: 'ops', sha256: '0'.repeat(64) }];
  const routes = [
    { path: '/', upstream },
    { path: '/admin', upstream, auth: { any: ['apiKey'] } },
  ];
  return readGatewayConfig(JSON.stringify({ auth: { apiKeys: { keys } }, routes }), backend);
}

async function check(target: string, fate: Fate, port: number, seen: readonly string[]): Promise<void> {
  const head = `GET ${target} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n`;
  const received = await exchangeRaw(port, head);
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(received)?.[1]);
  const expected = fate === 'refused' ? 400 : fate === 'denied' ? 401 : 200;
  assert.deepEqual(seen, expected === 200 ? [fate] : [], 'what the upstream saw');
  assert.equal(status, expected);
}
