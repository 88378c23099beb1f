export { type FailureFacts, SimulationFailure } from './failure.ts';
export { type Fault, type FaultKind, type FaultPlanOptions, inject, planFaults } from './faults.ts';
export { Host, type Program } from './host.ts';
export { type Heal, WorldNetwork } from './network.ts';
export {
  type Difference,
  findDifference,
  type MistakeWatch,
  runSeed,
  type Scenario,
  type SeedReport,
} from './scenario.ts';
export { Transcript } from './transcript.ts';
export { type SimulateOptions, simulate, World } from './world.ts';
