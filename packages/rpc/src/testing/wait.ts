import { nodeClock, nodeTimers } from '@heddle/kernel/node';
import { until as untilSo } from '@heddle/kernel/testing';

const limitMs = 15_000;

/** Resolves when the condition holds; rejects after 15 seconds with its text. */
export function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  return untilSo({ clock: nodeClock, timers: nodeTimers }, condition.toString(), limitMs, condition);
}
