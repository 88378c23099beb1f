// A process of the fault matrix: the coordinator or the participants of one pattern. It is started again when killed.
import { flushCompileCache } from 'node:module';
import { nodeRuntime } from '@heddle/kernel/node';
import { type SqlPool, sqlPool } from '@heddle/sql';
import { serve } from './http-service.ts';
import { countedPool, DurableWrites } from './kill-points.ts';
import type { Orders } from './orders.ts';
import { type Part, patterns } from './patterns.ts';

async function main(orders: Orders): Promise<void> {
  const runtime = { ...nodeRuntime({ name: orders.role }), log: () => {} };
  const writes = new DurableWrites(orders.kill);
  const pool = (url: string): SqlPool => countedPool(sqlPool(url, { runtime, maxConnections: 6 }), writes);
  const { center, from, to } = orders.urls;
  const part: Part = {
    runtime,
    orders,
    writes,
    center: pool(center),
    from: pool(from),
    to: pool(to),
  };
  const pattern = patterns[orders.pattern];
  if (pattern === undefined) throw new Error(`there is no pattern ${orders.pattern}`);
  const running = await pattern[orders.role](part);
  await serve(orders.ports[orders.role], running.paths, runtime, orders.weather);
  // Its end will be a kill, which stores nothing.
  flushCompileCache();
  process.stdout.write('READY\n');
  if (orders.begin) await running.begin?.();
  process.stdout.write('BEGUN\n');
}

await main(JSON.parse(process.argv[2] ?? '{}') as Orders);
