import { type Call, HeddleError, type Layer } from '@heddle/kernel';
import { checkOptions, delayMs, present, wholeFrom } from '../options/check-options.ts';

/** What `concurrency` allows. */
export interface ConcurrencyOptions {
  /** Calls at a time. */
  readonly max: number;
  /** Calls that may wait for a place, first come first served. Default 0. */
  readonly queue?: number;
  /** How long one may wait. Default 1000. */
  readonly maxWaitMs?: number;
  /** What is limited, for the error's message. Default `this service`. */
  readonly what?: string;
}

/** A call that waits for a place. */
interface Waiter {
  /** The place is yours. */
  admit(): void;
}

/**
 * At most `max` calls at a time, each counted from its start until its end: a response that is still streaming holds
 * its place. More wait in a bounded queue; beyond it, or after `maxWaitMs`, a call is refused with
 * `resource_exhausted`, `sent: false`. The limit is per layer made, so a stack used by many shares it.
 */
export function concurrency<Req, Res>(options: ConcurrencyOptions): Layer<Req, Res> {
  checkOptions('concurrency', options, {
    max: wholeFrom(1),
    queue: wholeFrom(0),
    maxWaitMs: delayMs,
    what: present,
  });
  const { max, queue = 0 } = options;
  const waiting = new Set<Waiter>();
  let running = 0;

  const release = (): void => {
    const [next] = waiting;
    if (next === undefined) {
      running--;
    } else {
      // The place is handed over without becoming free, so that nobody can slip in between.
      waiting.delete(next);
      next.admit();
    }
  };

  return (next) => {
    const admitted: typeof next = (req, call) => {
      call.onEnd(release);
      return next(req, call);
    };
    return (req, call) => {
      if (running < max) {
        running++;
        return admitted(req, call);
      }
      if (waiting.size < queue) return turn(waiting, call, options).then(() => admitted(req, call));
      const found = `${running} calls are in progress and ${waiting.size} wait`;
      return Promise.reject(refused(options, found));
    };
  };
}

/** Resolves when the call has a place, rejects when it has waited too long or is cancelled. */
function turn(waiting: Set<Waiter>, call: Call, options: ConcurrencyOptions): Promise<void> {
  const { maxWaitMs = 1000 } = options;
  return new Promise((resolve, reject) => {
    const waiter: Waiter = {
      admit: () => {
        leave();
        resolve();
      },
    };
    waiting.add(waiter);
    const timer = call.runtime.timers.after(maxWaitMs, () => {
      leave();
      reject(refused(options, `no place came free within ${maxWaitMs} ms`));
    });
    const stopListening = call.onCancel((error) => {
      leave();
      reject(error.with({ sent: false }));
    });
    function leave(): void {
      waiting.delete(waiter);
      timer.cancel();
      stopListening();
    }
  });
}

function refused(options: ConcurrencyOptions, found: string): HeddleError {
  const message = `${options.what ?? 'this service'} takes ${options.max} calls at a time: ${found}`;
  return new HeddleError({ code: 'resource_exhausted', reason: 'CONCURRENCY_LIMIT', message, sent: false });
}
