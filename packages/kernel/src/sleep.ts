import type { Call } from './call.ts';
import type { Timers } from './ports/timers.ts';

/** Resolves after `delayMs`. With a call, rejects with the reason as soon as that is cancelled. */
export function sleep(timers: Timers, delayMs: number, call?: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopListening: () => void = () => {};
    const timer = timers.after(delayMs, () => {
      stopListening();
      resolve();
    });
    if (call === undefined) return;
    stopListening = call.onCancel((error) => {
      timer.cancel();
      reject(error);
    });
  });
}
