import type { Runtime } from '@heddle/kernel';
import { type Given, usageError, type World } from './command.ts';

/** Resolves on a signal, or when the seconds of `--for` are over. */
export function untilToldToStop(given: Given, world: World, { timers }: Runtime): Promise<void> {
  const text = given.text('for');
  const seconds = text === undefined ? undefined : readSeconds(text);
  return new Promise((resolve) => {
    const timer = seconds === undefined ? undefined : timers.after(seconds * 1000, resolve);
    world.onSignal(() => {
      timer?.cancel();
      resolve();
    });
  });
}

function readSeconds(text: string): number {
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1) return seconds;
  throw usageError(`--for expects a whole number of seconds from 1 to 999999, found "${text}"`);
}
