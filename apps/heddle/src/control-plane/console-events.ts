import type { Call, CancelListener } from '@heddle/kernel';
import { Fields, type HttpResponse, streamBody } from '@heddle/wire';
import { secured } from './console-answers.ts';
import type { Observer } from './observer.ts';
import type { Overview } from './overview.ts';

const encoder = new TextEncoder();

/** Each new overview as a Server-Sent Event. `isWelcome` is asked before each: who was signed out hears no more. */
export function overviewEvents(observer: Observer, call: Call, isWelcome: () => boolean): HttpResponse {
  const fields = secured(Fields.of({ 'content-type': 'text/event-stream' }));
  return { status: 200, fields, body: streamBody(overviews(observer, call, isWelcome)) };
}

/** The newest at once, then each new one; a reader that is slow gets the newest and not those between. */
async function* overviews(
  observer: Observer,
  call: Call,
  isWelcome: () => boolean,
): AsyncGenerator<Uint8Array, void> {
  let next: Overview | undefined = observer.latest;
  let wake: () => void = () => {};
  const stopListening = observer.subscribe((overview) => {
    next = overview;
    wake();
  });
  const onCancel: CancelListener = () => wake();
  call.onCancel(onCancel);
  try {
    while (call.cancelled === undefined) {
      if (next === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      if (!isWelcome()) return;
      const event = `event: overview\ndata: ${JSON.stringify(next)}\n\n`;
      next = undefined;
      yield encoder.encode(event);
    }
  } finally {
    stopListening();
  }
}
