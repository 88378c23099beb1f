import { clockContract } from '../testing/clock-contract.ts';
import { diskContract } from '../testing/disk-contract.ts';
import { netContract } from '../testing/net-contract.ts';
import { randomContract } from '../testing/random-contract.ts';
import type { RunWork } from '../testing/subject.ts';
import { timersContract } from '../testing/timers-contract.ts';
import { SimulatedDisk } from './disk/simulated-disk.ts';
import { SimulatedNet } from './net/simulated-net.ts';
import { SimulatedProcess } from './process.ts';
import { seededRandom } from './seeded-random.ts';
import { VirtualTime } from './virtual-time.ts';

const inVirtualTime =
  (time: VirtualTime): RunWork =>
  (work) =>
    time.run(work());

const process = (): { time: VirtualTime; process: SimulatedProcess } => {
  const time = new VirtualTime();
  return { time, process: new SimulatedProcess(time) };
};

clockContract('virtual time', () => {
  const time = new VirtualTime();
  return { clock: time.clock, timers: time.timers, run: inVirtualTime(time) };
});
clockContract('of a simulated process', () => {
  const made = process();
  return { clock: made.process.clock, timers: made.process.timers, run: inVirtualTime(made.time) };
});
timersContract('virtual time', () => {
  const time = new VirtualTime();
  return { clock: time.clock, timers: time.timers, run: inVirtualTime(time) };
});
timersContract('of a simulated process', () => {
  const made = process();
  return { clock: made.process.clock, timers: made.process.timers, run: inVirtualTime(made.time) };
});
randomContract('seeded', () => seededRandom(1));
randomContract('seeded with nought', () => seededRandom(0));

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  netContract(`simulated, seed ${seed}`, () => {
    const time = new VirtualTime();
    // Latency, jitter and loss differ by seed: the contract holds on any link.
    const defaults = {
      latencyMs: seed,
      jitterMs: seed % 3,
      loss: (seed % 4) * 0.05,
      bytesPerMs: seed * 10_000,
    };
    const network = new SimulatedNet({ time, random: seededRandom(seed), defaults });
    const server = network.attach('server', new SimulatedProcess(time));
    const client = network.attach('client', new SimulatedProcess(time));
    network.attach('silent', new SimulatedProcess(time));
    network.setLink('client', 'silent', { blocked: true });
    const silent = { host: 'silent', port: 80 };
    return { server, client, timers: time.timers, host: 'server', silent, run: inVirtualTime(time) };
  });
}

for (const seed of [1, 2]) {
  diskContract(`simulated, seed ${seed}`, async () => {
    const time = new VirtualTime();
    const disk = new SimulatedDisk({ time, random: seededRandom(seed) }).mount(new SimulatedProcess(time));
    return { disk, run: inVirtualTime(time) };
  });
}
