// Rate limits that several gateways share on a real Redis: the same decisions as in memory, exact over four processes,
// and the chosen mode while Redis is away.
import { nodeRuntime } from '@heddle/kernel/node';
import { isMissing, obtain } from '../../engines/engine.ts';
import { h2load } from '../../engines/nghttp2.ts';
import { redis } from '../../engines/redis.ts';
import { type Contract, type ContractResult, resultOf, skippedWhole } from '../result.ts';
import { MortalServer } from '../messaging/server-stage.ts';
import { awayCases } from './redis-away.ts';
import { sameDecisions } from './same-decisions.ts';
import { SharedGateways } from './shared-gateways.ts';

const backend = 'ratelimit-redis';
const isShort = process.env['HEDDLE_CONTRACTS'] === 'short';

interface Case {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** Every algorithm, several at once, and every mode without Redis is a result. */
export const ratelimitRedis: Contract = {
  backend,
  run: async (only = () => true) => {
    const load = await obtain(h2load);
    if (isMissing(load)) return skippedWhole(backend, load.missing);
    const server = new MortalServer(redis, { appendfsync: 'everysec' as const });
    const found = await server.start();
    if ('missing' in found) return skippedWhole(backend, found.missing);
    const results: ContractResult[] = [];
    const runAll = async (cases: readonly Case[]): Promise<void> => {
      for (const { name, run } of cases)
        if (only(name)) {
          const startMs = performance.now();
          const result = await resultOf(backend, found.version, name, run);
          results.push({ ...result, tookMs: Math.round(performance.now() - startMs) });
        }
    };
    try {
      const runtime = nodeRuntime({ name: backend, logLevel: 'error' });
      await runAll(sameDecisions(runtime, server.address, isShort ? 200 : 4000));
      await runAll([
        { name: 'several limits at once on a Redis of a cluster', run: () => onCluster(runtime) },
      ]);
      const gateways = await SharedGateways.open(runtime, server.address);
      try {
        await runAll(gateways.cases(isShort));
      } finally {
        await gateways.close();
      }
      await runAll(awayCases(server));
    } finally {
      await server.stop();
    }
    return results;
  },
};

async function onCluster(runtime: ReturnType<typeof nodeRuntime>): Promise<void> {
  const running = await redis.start({ cluster: true });
  try {
    for (const { run } of sameDecisions(runtime, running.address, 100)) await run();
  } finally {
    await running.stop();
  }
}
