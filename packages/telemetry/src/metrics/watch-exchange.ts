import { type Call, HeddleError } from '@heddle/kernel';
import { type HttpResponse, statusOfCode } from '@heddle/wire';

const cancelledStatus = 499;

/** How an HTTP exchange went. */
export interface Exchange {
  /** The answer, if there was one. */
  readonly answer: HttpResponse | undefined;
  /** Why there was none, or why it broke off. */
  readonly error: HeddleError | undefined;
  /** From the request's first byte to the answer's last. */
  readonly seconds: number;
}

/**
 * Calls `finished` once, when both the result and the end of the call are known. They come in either order: a short
 * answer is gone before this layer sees it, a streaming one long after; and what is an error here may be an answer
 * above, so that the call itself ends well.
 */
export function watchExchange(
  call: Call,
  pending: Promise<HttpResponse>,
  finished: (exchange: Exchange) => void,
): Promise<HttpResponse> {
  const watched = new Watched(call, finished);
  call.onEnd(({ error }) => watched.ended(error));
  // Told before whoever waits for the answer, who need not wait for one more promise.
  pending.then(
    (answer) => watched.settled(answer, undefined),
    (thrown: unknown) => watched.settled(undefined, HeddleError.from(thrown)),
  );
  return pending;
}

class Watched implements Exchange {
  answer: HttpResponse | undefined;
  error: HeddleError | undefined;
  seconds = 0;
  readonly #call: Call;
  readonly #startMs: number;
  readonly #finished: (exchange: Exchange) => void;
  #settled = false;
  #ended = false;

  constructor(call: Call, finished: (exchange: Exchange) => void) {
    this.#call = call;
    this.#startMs = call.startMs;
    this.#finished = finished;
  }

  settled(answer: HttpResponse | undefined, error: HeddleError | undefined): void {
    this.#settled = true;
    this.answer = answer;
    // What the promise says counts, where both say something.
    if (error !== undefined) this.error = error;
    if (this.#ended) this.#finished(this);
  }

  ended(error: HeddleError | undefined): void {
    this.#ended = true;
    this.seconds = (this.#call.endMs - this.#startMs) / 1000;
    this.error ??= error;
    if (this.#settled) this.#finished(this);
  }
}

/** 499 if the caller left, the answer's if there was one, else what the edge makes of the error. */
export function statusOfExchange({ answer, error }: Exchange): number {
  if (error?.code === 'cancelled') return cancelledStatus;
  if (answer !== undefined) return answer.status;
  return error === undefined ? 500 : statusOfCode(error.code);
}
