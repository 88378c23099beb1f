import type { Call } from './call.ts';

/**
 * The call that is being served, for code that was not handed it. Passing the call on is clearer and cheaper; this is
 * for what lies between two pieces of one's own code and takes no call (a library, an existing code base).
 * The adapter of Node is `asyncContext` of `@heddle/kernel/node`.
 */
export interface Ambient {
  /** The call that encloses this moment; undefined outside of all calls. */
  current(): Call | undefined;
  /** Runs `work` with `call` as the current one, for all that it awaits too. */
  run<T>(call: Call, work: () => T): T;
  /**
   * States that somebody will ask for the current call. A runtime's ambient keeps none before: to keep it costs every call, and
   * most processes have nobody who asks. A pool of connections does, and OpenTelemetry's API. Default: it always keeps it.
   */
  ask?(): void;
}

/**
 * Does `work` as part of `call`, which is the current one meanwhile if the call's runtime can tell what is current. For whoever
 * makes calls of their own (a consumer, a saga) and hands them to code that may not hand them on.
 */
export function asCurrent<T>(call: Call, work: () => T): T {
  const { ambient } = call.runtime;
  return ambient === undefined ? work() : ambient.run(call, work);
}
