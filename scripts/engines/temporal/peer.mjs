// A worker and a client of Temporal in one process, as a peer (see peer.ts). Arguments: the server's address. A line
// `<at once> <ms>` runs workflows of three steps for so long; the answer is JSON: `{ count, ms }`.
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

const [address] = process.argv.slice(2);
const taskQueue = 'bench';

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: {} });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue,
  workflowsPath: path.join(import.meta.dirname, 'workflows.mjs'),
  activities: { step: async (result) => result },
});
const running = worker.run();
const client = new Client({ connection: await Connection.connect({ address }) });

let next = 0;
async function turn(atOnce, ms) {
  const startedMs = performance.now();
  let count = 0;
  const one = async () => {
    while (performance.now() - startedMs < ms) {
      next += 1;
      await client.workflow.execute('three', {
        taskQueue,
        workflowId: `three-${process.pid}-${next}`,
        args: [7],
      });
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return { count, ms: performance.now() - startedMs };
}

process.stdout.write('ready 0\n');
for await (const line of createInterface({ input: process.stdin })) {
  const [atOnce, ms] = line.split(' ').map(Number);
  process.stdout.write(`${JSON.stringify(await turn(atOnce, ms))}\n`);
}
worker.shutdown();
await running;
process.exit(0);
