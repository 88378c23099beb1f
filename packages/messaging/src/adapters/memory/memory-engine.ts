import type { Runtime } from '@heddle/kernel';
import type { Engine } from '../../engine.ts';
import { leasedEngine } from '../../log/leased-engine.ts';
import type { LeaseTimes } from '../../log/leased-membership.ts';
import { MemoryLog } from './memory-log.ts';

/**
 * Topics in memory, for tests and the simulator: the semantics of the durable engines, and nothing outlives the log.
 * Processes of one simulation share one `log`; each makes an engine of its own on it.
 */
export function memoryEngine(
  runtime: Runtime,
  options: LeaseTimes & { readonly log?: MemoryLog } = {},
): Engine {
  const log = options.log ?? new MemoryLog(runtime);
  return leasedEngine(runtime, log.connect(), options);
}
