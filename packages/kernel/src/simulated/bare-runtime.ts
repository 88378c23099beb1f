import { HeddleError } from '../error.ts';
import type { Runtime } from '../ports/runtime.ts';
import { seededRandom } from './seeded-random.ts';
import type { VirtualTime } from './virtual-time.ts';

/**
 * A runtime with nothing but virtual time and seeded chance, for testing what has no business with sockets or files:
 * using either rejects with `unimplemented`. Log lines are dropped. Default seed 1.
 */
export function bareRuntime(time: VirtualTime, seed = 1): Runtime {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new HeddleError({
        code: 'unimplemented',
        reason: 'BARE_RUNTIME',
        message: 'this runtime has no sockets and no files; take a simulated one that has',
        sent: false,
      }),
    );
  return {
    clock: time.clock,
    timers: time.timers,
    random: seededRandom(seed),
    net: { connect: refuse, listen: refuse },
    disk: { read: refuse, replace: refuse, open: refuse, list: refuse, remove: refuse },
    log: () => {},
  };
}
