import type { Clock } from '../ports/clock.ts';

/** The machine's clocks. */
export const nodeClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
};
