import type { Call } from './call.ts';
import type { Current } from './ports/current.ts';
import type { Runtime } from './ports/runtime.ts';

/**
 * The call that is being served, for code that was not handed it. Passing the call on is clearer and cheaper; this is
 * for what lies between two pieces of one's own code and takes no call (a library, an existing code base).
 * The adapter of Node is `asyncContext` of `@heddle/kernel/node`.
 */
export type Ambient = Current<Call>;

/** The one of a runtime, if it has one. What it keeps are calls, of which a port knows nothing. */
export function ambientOf(runtime: Runtime): Ambient | undefined {
  return runtime.ambient as Ambient | undefined;
}

/**
 * Does `work` as part of `call`, which is the current one meanwhile if the call's runtime can tell what is current. For whoever
 * makes calls of their own (a consumer, a saga) and hands them to code that may not hand them on.
 */
export function asCurrent<T>(call: Call, work: () => T): T {
  const { ambient } = call.runtime;
  return ambient === undefined ? work() : ambient.run(call, work);
}
