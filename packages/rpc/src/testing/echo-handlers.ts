import { attempt, type Call, codes, HeddleError, sleep } from '@heddle/kernel';

import type { EchoRequest, EchoService } from '../gen/heddle/testing/v1/echo_pb.ts';
import type { RpcHandlers } from '../server/handlers.ts';

/** The service that the integration tests call. `seen` gets the text of each request that reached a handler. */
export function echoHandlers(instance: string, seen: string[] = []): RpcHandlers<typeof EchoService> {
  const reply = async (
    req: EchoRequest,
    call: Call,
  ): Promise<{ text: string; instance: string; attempt: number; remainingMs: number }> => {
    seen.push(req.text);
    if (req.delayMs > 0) await sleep(call.runtime.timers, req.delayMs, call);
    if (req.failWith > 0) throw failure(req.failWith);
    const remainingMs = call.remainingMs();
    return {
      text: req.text,
      instance,
      attempt: call.get(attempt),
      remainingMs: Number.isFinite(remainingMs) ? Math.round(remainingMs) : 0,
    };
  };
  return {
    echo: reply,
    look: reply,
    append: reply,
    async *expand(req, call) {
      for (let n = 0; n < req.count; n++) yield { ...(await reply(req, call)), text: `${req.text}${n}` };
    },
    async collect(messages) {
      let text = '';
      for await (const message of messages) text += message.text;
      return { text, instance };
    },
    async *chat(messages, call) {
      for await (const message of messages) yield reply(message, call);
    },
  };
}

function failure(number: number): HeddleError {
  const code = codes[number - 1] ?? 'unknown';
  return new HeddleError({
    code,
    reason: 'ASKED_FOR',
    message: `fails on demand: 100 % "${code}" – as asked`,
  });
}
