export { bareRuntime } from './bare-runtime.ts';
export { type DiskOperation, SimulatedDisk, type SimulatedDiskOptions } from './disk/simulated-disk.ts';
export { type LinkConditions, lan, loopback } from './net/link.ts';
export { type NetEvent, SimulatedNet, type SimulatedNetOptions } from './net/simulated-net.ts';
export { type Death, SimulatedProcess, type SimulatedProcessOptions } from './process.ts';
export {
  forkSeed,
  type SimulatedRuntime,
  type SimulatedRuntimeOptions,
  simulatedRuntime,
} from './runtime.ts';
export { seededRandom } from './seeded-random.ts';
export { VirtualTime } from './virtual-time.ts';
