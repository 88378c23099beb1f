import { attempt, Call, correlationId, idempotencyKey, type Runtime, traceContext } from '@heddle/kernel';
import { carried } from '../message/complete-message.ts';
import type { Delivery } from '../message/message.ts';

/** The call in which a handler works: its context is that of whoever sent the message, its key the message's id. */
export function deliveryCall(
  runtime: Runtime,
  { message, attempt: tries }: Delivery,
  timeoutMs: number,
): Call {
  const call = Call.root(runtime, runtime.clock.nowMs() + timeoutMs);
  call.set(correlationId, message.correlationId).set(idempotencyKey, message.id).set(attempt, tries);
  if (message.trace !== undefined) call.set(traceContext, message.trace);
  for (const [name, key] of carried) {
    const value = message.headers[name];
    if (value !== undefined) call.set(key, value);
  }
  return call;
}
