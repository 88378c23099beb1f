import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { clockContract } from '../testing/clock-contract.ts';
import { diskContract } from '../testing/disk-contract.ts';
import { netContract } from '../testing/net-contract.ts';
import { randomContract } from '../testing/random-contract.ts';
import { inRealTime } from '../testing/subject.ts';
import { timersContract } from '../testing/timers-contract.ts';
import { nodeClock } from './clock.ts';
import { nodeDisk } from './disk.ts';
import { nodeNet } from './net.ts';
import { nodeRandom } from './random.ts';
import { nodeTimers } from './timers.ts';

const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

function spin(ms: number): void {
  const until = nodeClock.nowMs() + ms;
  while (nodeClock.nowMs() < until);
}

clockContract('node', () => ({ clock: nodeClock, timers: nodeTimers, run: inRealTime }));
timersContract('node', () => ({ clock: nodeClock, timers: nodeTimers, run: inRealTime, spin }));
randomContract('node', () => nodeRandom);
netContract('node', () => {
  return { server: nodeNet, client: nodeNet, timers: nodeTimers, host: '127.0.0.1', run: inRealTime };
});
diskContract('node', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-disk-'));
  folders.push(folder);
  return { disk: nodeDisk(join(folder, 'data')), run: inRealTime };
});
