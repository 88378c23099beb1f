import type { Runtime } from '@heddle/kernel';
import { HeddleError } from '@heddle/kernel';
import { seededRandom, VirtualTime } from '@heddle/kernel/simulated';

/** A runtime for the tests of layers: virtual time, seeded chance, and neither sockets nor disk. */
export function virtualRuntime(seed = 1): { readonly runtime: Runtime; readonly time: VirtualTime } {
  const time = new VirtualTime();
  const runtime: Runtime = {
    clock: time.clock,
    timers: time.timers,
    random: seededRandom(seed),
    log: () => {},
    net: { connect: () => Promise.reject(none('sockets')), listen: () => Promise.reject(none('sockets')) },
    get disk(): never {
      throw none('disk');
    },
  };
  return { runtime, time };
}

function none(what: string): HeddleError {
  return new HeddleError({
    code: 'unimplemented',
    reason: 'NOT_IN_TESTS',
    message: `these tests have no ${what}`,
  });
}
