// Ten million calls through the whole stack, decision records on: heap and resident memory after each million.
import type { Running } from '../../scripts/engines/engine.ts';
import { type Peer, startPeer } from '../../scripts/engines/peer.ts';
import type { BenchOptions, BenchResult } from '../report.ts';
import path from 'node:path';
import { coreOfLoad, startSubject, subjectCore } from '../wire/contender.ts';
import { residentKib } from '../wire/process-cost.ts';

const name = 'memory-10m-calls';
const program = path.join(import.meta.dirname, 'subjects', 'heddle.ts');

/** `memory-10m-calls`, only when it is asked for by name: it takes ten minutes (with `--quick`, a hundredth of the calls). */
export async function memoryResults(options: BenchOptions): Promise<BenchResult[]> {
  if (options.only !== name) return [];
  const million = options.quick ? 10_000 : 1_000_000;
  const servers: Running[] = [];
  let client: Peer | undefined;
  try {
    for (let n = 0; n < 3; n++) servers.push(await startSubject('heddle-grpc-server.ts', [], coreOfLoad()));
    const targets = servers.map(({ address }) => `${address.host}:${address.port}`);
    const args = ['--conditions=@heddle/source', '--expose-gc', program, 'explain', ...targets];
    client = await startPeer({ name: 'heddle', command: process.execPath, args, core: subjectCore });
    const steps: number[] = [];
    for (let step = 1; step <= 10; step++) {
      await calls(client, million);
      steps.push(await settled(client, step * million));
    }
    const [before = Number.NaN] = steps;
    const after = steps.at(-1) ?? Number.NaN;
    return [
      {
        name,
        subject: 'heddle',
        unit: 'KiB',
        value: after,
        peer: 'after-1m',
        peerValue: before,
        ratio: before / after,
        goal: 'at most a tenth more',
        goalMet: after <= before * 1.1,
      },
    ];
  } finally {
    await client?.stop();
    await Promise.all(servers.map((each) => each.stop()));
  }
}

async function calls(client: Peer, count: number): Promise<void> {
  for (let done = 0; done < count; ) {
    const said = await client.ask('run-100 2000');
    done += Number(/^calls (\d+)$/.exec(said)?.[1] ?? 0);
  }
}

/** What is in memory without what is garbage already, said for each step. */
async function settled(client: Peer, calls: number): Promise<number> {
  await client.ask('gc');
  const heap = Number(/^heap (\d+)$/.exec(await client.ask('heap'))?.[1]);
  const resident = residentKib(client.pid);
  process.stderr.write(
    `${name}: ${calls} calls: heap ${Math.round(heap / 1024)} KiB, resident ${resident} KiB\n`,
  );
  return resident;
}
