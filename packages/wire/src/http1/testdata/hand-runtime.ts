import { type Connection, type Disk, HeddleError, type Net, type Runtime } from '@heddle/kernel';
import { seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import { HandConnection } from './hand-connection.ts';

/** A runtime in which nothing happens but by the test's hand: virtual time, and connections that it holds. */
export interface HandRuntime extends Runtime {
  readonly time: VirtualTime;
  /** The connections that were made by `net.connect`, oldest first. */
  readonly made: readonly HandConnection[];
  /** The next connect fails with this. */
  refuse: HeddleError | undefined;
}

/** Makes one. */
export function handRuntime(): HandRuntime {
  const time = new VirtualTime();
  const made: HandConnection[] = [];
  const net: Net = {
    connect: async (): Promise<Connection> => {
      if (runtime.refuse !== undefined) throw runtime.refuse;
      const connection = new HandConnection();
      made.push(connection);
      return connection;
    },
    listen: () => Promise.reject(none('listen')),
  };
  const disk: Disk = {
    read: () => Promise.reject(none('disk')),
    replace: () => Promise.reject(none('disk')),
    open: () => Promise.reject(none('disk')),
    list: () => Promise.reject(none('disk')),
    remove: () => Promise.reject(none('disk')),
  };
  const { clock, timers } = time;
  const runtime: HandRuntime = {
    time,
    made,
    refuse: undefined,
    clock,
    timers,
    random: seededRandom(1),
    net,
    disk,
    log: () => {},
  };
  return runtime;
}

function none(what: string): HeddleError {
  return new HeddleError({
    code: 'unimplemented',
    reason: 'NOT_BY_HAND',
    message: `no ${what} in this runtime`,
  });
}
