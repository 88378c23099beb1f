import { type Call, HeddleError, idempotencyKey } from '@heddle/kernel';
import type { Broker, SubscribeOptions, Subscription } from '@heddle/messaging';

/** The name that HTTP gives it. */
const keyHeader = 'idempotency-key';

/**
 * What a step does by message: sends `order` to a topic as a command and waits for the reply of whoever carries it out.
 * Rejects with the receiver's error as it was, or with `deadline_exceeded` / `NO_REPLY` when the step's time is over. It
 * carries the call's idempotency key, the same at every attempt and after a crash.
 */
export type CommandMessage<Order, Reply> = (order: Order, call: Call) => Promise<Reply>;

/** Commands of one topic, in JSON, for the steps of sagas: `run: ({ input, call }) => reserve(input, call)`. */
export function commandMessage<Order, Reply>(
  broker: Pick<Broker, 'request'>,
  topic: string,
): CommandMessage<Order, Reply> {
  return async (order, call) => {
    const key = call.get(idempotencyKey);
    const headers = key === undefined ? {} : { [keyHeader]: key };
    const payload = new TextEncoder().encode(JSON.stringify(order));
    const reply = await broker.request({ topic, kind: 'command', payload, headers }, call);
    return parsed(reply.payload, `the reply to a command of ${topic}`) as Reply;
  };
}

/**
 * The other end: carries out the commands of a topic and replies. A command may come again under its key, which the
 * handler is given: `passBarrier` with it makes that harmless, and the reply has to be the same.
 */
export function answerCommands<Order, Reply>(
  broker: Pick<Broker, 'answer'>,
  topic: string,
  options: SubscribeOptions,
  handler: (order: Order, key: string, call: Call) => Promise<Reply>,
): Promise<Subscription> {
  return broker.answer(topic, options, async ({ message }, call) => {
    const key = message.headers[keyHeader] ?? message.id;
    const order = parsed(message.payload, `a command of ${topic}`) as Order;
    const reply = (await handler(order, key, call)) ?? null;
    return { payload: new TextEncoder().encode(JSON.stringify(reply)) };
  });
}

function parsed(payload: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(payload));
  } catch (cause) {
    const message = `${what}: expected JSON, found ${payload.length} bytes that are not`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_PAYLOAD', message, cause });
  }
}
