import {
  type CallOptions,
  type ContextKey,
  createContextKey,
  createContextValues,
} from '@connectrpc/connect';
import type { Call } from '@heddle/kernel';

/** Where a Connect call carries the call that it is made within. */
export const parentCall: ContextKey<Call | undefined> = createContextKey<Call | undefined>(undefined, {
  description: 'heddle-parent-call',
});

/**
 * Options for a call of a Connect client that is made to serve another: `orders.getOrder({ id }, within(call))`.
 * It gets that call's deadline and context, and is cancelled with it. Other options may be spread beside:
 * `{ ...within(call), timeoutMs: 200 }`.
 */
export function within(call: Call): CallOptions {
  return { contextValues: createContextValues().set(parentCall, call) };
}
