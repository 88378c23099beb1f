import { type Call, type CallKey, callKey, HeddleError } from '@heddle/kernel';
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

/** Told once how an exchange went. */
type Finished = (exchange: Exchange) => void;

/**
 * Calls `finished` once, when both the result and the end of the call are known. They come in either order: a short
 * answer is gone before this layer sees it, a streaming one long after; and what is an error here may be an answer
 * above, so that the call itself ends well.
 */
export function watchExchange(
  call: Call,
  pending: Promise<HttpResponse>,
  finished: Finished,
): Promise<HttpResponse> {
  return new Watch(call, finished).until(pending);
}

/** The watch of the request that is being served, for all that tell of it: to watch costs more than to tell. */
const served: CallKey<Watch | undefined> = callKey<Watch | undefined>('served', undefined);

/**
 * As `watchExchange`, for a request that a server has got, as it goes out to whoever sent it: of the layers that tell of that the
 * outermost watches, and those below it hear of the same.
 */
export function watchServed(
  call: Call,
  next: () => Promise<HttpResponse>,
  finished: Finished,
): Promise<HttpResponse> {
  const above = call.get(served);
  if (above?.isOf(call) === true) {
    above.tell(finished);
    return next();
  }
  const watch = new Watch(call, finished);
  call.set(served, watch);
  return watch.until(next());
}

class Watch {
  readonly #call: Call;
  readonly #startMs: number;
  readonly #finished: Finished;
  #others: Finished[] | undefined;
  #answer: HttpResponse | undefined;
  #error: HeddleError | undefined;
  #isSettled = false;
  #isEnded = false;

  constructor(call: Call, finished: Finished) {
    this.#call = call;
    this.#startMs = call.startMs;
    this.#finished = finished;
    call.onEnd(({ error }) => this.#ended(error));
  }

  /** Whether the exchange is that of this call: itself, or what a deadline has made of it. */
  isOf(call: Call): boolean {
    return call === this.#call || call.parent === this.#call;
  }

  tell(finished: Finished): void {
    (this.#others ??= []).push(finished);
  }

  until(pending: Promise<HttpResponse>): Promise<HttpResponse> {
    // Told before whoever waits for the answer, who need not wait for one more promise.
    pending.then(
      (answer) => this.#settled(answer, undefined),
      (thrown: unknown) => this.#settled(undefined, HeddleError.from(thrown)),
    );
    return pending;
  }

  #ended(error: HeddleError | undefined): void {
    this.#isEnded = true;
    this.#error ??= error;
    if (this.#isSettled) this.#tellAll();
  }

  /** An error of the exchange itself says more than that of the call. */
  #settled(answer: HttpResponse | undefined, error: HeddleError | undefined): void {
    this.#isSettled = true;
    this.#answer = answer;
    this.#error = error ?? this.#error;
    if (this.#isEnded) this.#tellAll();
  }

  #tellAll(): void {
    const seconds = (this.#call.endMs - this.#startMs) / 1000;
    const exchange = { answer: this.#answer, error: this.#error, seconds };
    this.#finished(exchange);
    if (this.#others !== undefined) for (const finished of this.#others) finished(exchange);
  }
}

/** 499 if the caller left, the answer's if there was one, else what the edge makes of the error. */
export function statusOfExchange({ answer, error }: Exchange): number {
  if (error?.code === 'cancelled') return cancelledStatus;
  if (answer !== undefined) return answer.status;
  return error === undefined ? 500 : statusOfCode(error.code);
}
