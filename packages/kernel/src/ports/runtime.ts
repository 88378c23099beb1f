import type { Clock } from './clock.ts';
import type { Current } from './current.ts';
import type { Disk } from './disk.ts';
import type { Log } from './log.ts';
import type { Net } from './net.ts';
import type { Random } from './random.ts';
import type { SpanSink } from './spans.ts';
import type { Timers } from './timers.ts';

/**
 * All that a process gets from outside: time, chance, identity, sockets, disk, a place to log and one for its spans, and
 * which call it is serving.
 * A component takes one where it is made; a call carries it. `@heddle/kernel/node` has the real one, and
 * `@heddle/kernel/simulated` one in which time, chance and failure are under a seed.
 */
export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly net: Net;
  readonly disk: Disk;
  readonly log: Log;
  /** Takes the spans of all that is done. Without it none are made: the one switch of tracing. */
  readonly spans?: SpanSink | undefined;
  /** Knows which call is being served. Without it only those know that were handed the call. */
  readonly ambient?: Current<object> | undefined;
}
