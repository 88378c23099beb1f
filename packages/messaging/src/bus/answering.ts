import { HeddleError, type Runtime, type Service } from '@heddle/kernel';
import type { Delivery, MessageInit } from '../message/message.ts';
import { errorAsHeaders } from './replies.ts';

/**
 * A handler that answers: what it returns, or the error that it rejects with, goes to who asked. It is asked once: a
 * query is repeated by who sent it, if at all. A query whose asker has given up is not worked on.
 */
export function answering(
  runtime: Runtime,
  handler: Service<Delivery, Pick<MessageInit, 'payload'> & Partial<MessageInit>>,
  send: (reply: MessageInit) => Promise<void>,
): Service<Delivery, void> {
  return async (delivery, call) => {
    const { message } = delivery;
    if (message.replyTo === '') throw noReplyTo(message.id);
    const until = Number(message.headers['deadline'] ?? Number.POSITIVE_INFINITY);
    if (until <= runtime.clock.wallMs()) return;
    const common = {
      topic: message.replyTo,
      correlationId: message.correlationId,
      causationId: message.id,
    };
    let reply: MessageInit;
    try {
      reply = { ...(await handler(delivery, call)), ...common };
    } catch (thrown) {
      reply = { ...common, payload: new Uint8Array(), headers: errorAsHeaders(HeddleError.from(thrown)) };
    }
    try {
      await send(reply);
    } catch (thrown) {
      // The asker's topic goes when it closes or dies: there is nobody to tell.
      if (HeddleError.from(thrown).reason !== 'NO_TOPIC') throw thrown;
    }
  };
}

function noReplyTo(id: string): HeddleError {
  const message = `message ${id} names no topic for an answer; queries are sent with request`;
  return new HeddleError({ code: 'invalid_argument', reason: 'NO_REPLY_TO', message });
}
