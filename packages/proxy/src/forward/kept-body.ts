import { HeddleError, type Layer } from '@heddle/kernel';
import {
  type Body,
  type BodySink,
  collect,
  type Fields,
  type HttpRequest,
  type HttpResponse,
  IncomingBody,
} from '@heddle/wire';

/**
 * Content that is passed on as it comes and kept beside, as long as it is small: so a request can be sent again, or a copy
 * of it elsewhere, without anybody waiting for its end first. A stream that goes both ways stays one.
 * To be read, it is asked for views; it has no other reader.
 */
export class KeptBody implements Body, BodySink {
  readonly size: number | undefined;
  readonly #source: IncomingBody;
  readonly #limit: number;
  readonly #views = new Set<View>();
  #kept: Uint8Array[] = [];
  #bytes = 0;
  /** More has come than is kept: what was sent cannot be sent again. */
  #isLost = false;
  #isFlowing = false;
  #isEnded = false;
  #error: HeddleError | undefined;

  constructor(source: IncomingBody, limit: number) {
    this.#source = source;
    this.#limit = limit;
    this.size = source.size;
  }

  /** Whether another view begins at the beginning. */
  get repeatable(): boolean {
    return !this.#isLost;
  }

  get trailers(): Fields | undefined {
    return this.#source.trailers;
  }

  /** For an attempt: it gets all, and holds the sender up while it does not read. */
  view(): Body {
    return this.#view(true);
  }

  /** For a copy, which holds nobody up: one that does not read, or comes too late, breaks off. */
  copy(): Body {
    return this.#view(false);
  }

  bytes(limit: number): Promise<Uint8Array> {
    return collect(this, limit);
  }

  cancel(error?: HeddleError): void {
    this.#source.cancel(error);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, void> {
    return this.view()[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, void>;
  }

  data(chunk: Uint8Array): boolean {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > this.#limit) {
      this.#isLost = true;
      this.#kept = [];
    } else this.#kept.push(chunk);
    for (const view of this.#views) view.give(chunk, this.#limit);
    return this.#hasRoom();
  }

  end(): void {
    this.#isEnded = true;
    for (const { body } of this.#views) body.finish(this.trailers);
  }

  fail(error: HeddleError): void {
    this.#error = error;
    for (const { body } of this.#views) body.fail(error);
  }

  #view(holdsUp: boolean): Body {
    const view: View = new View(
      holdsUp,
      () => this.#begin(view),
      () => this.#roomAgain(),
      () => {
        this.#views.delete(view);
        this.#roomAgain();
      },
      this.size,
    );
    return view.body;
  }

  #begin(view: View): void {
    if (this.#isLost) {
      view.body.fail(gone());
      return;
    }
    this.#views.add(view);
    for (const chunk of this.#kept) view.body.push(chunk);
    if (this.#isEnded) view.body.finish(this.trailers);
    else if (this.#error !== undefined) view.body.fail(this.#error);
    else if (this.#isFlowing) this.#roomAgain();
    else {
      this.#isFlowing = true;
      this.#source.flow(this);
    }
  }

  #hasRoom(): boolean {
    let readers = 0;
    for (const { holdsUp, body } of this.#views) {
      if (!holdsUp) continue;
      readers += 1;
      if (body.bufferedBytes >= this.#limit) return false;
    }
    // Between two attempts what comes is kept for the next.
    return readers > 0 || !this.#isLost;
  }

  #roomAgain(): void {
    if (this.#isFlowing && this.#hasRoom()) this.#source.resume();
  }
}

class View {
  readonly body: IncomingBody;
  readonly holdsUp: boolean;

  constructor(
    holdsUp: boolean,
    wanted: () => void,
    consumed: () => void,
    abandoned: () => void,
    size: number | undefined,
  ) {
    this.holdsUp = holdsUp;
    this.body = new IncomingBody({ wanted, consumed, abandoned }, size);
  }

  give(chunk: Uint8Array, limit: number): void {
    if (!this.holdsUp && this.body.bufferedBytes > limit) this.body.cancel(gone());
    else this.body.push(chunk);
  }
}

/** Keeps content of up to `limit` bytes, for the layers below that send it more than once. What tunnels carry is no content. */
export function keptBody(limit: number): Layer<HttpRequest, HttpResponse> {
  return (next) => (req, call) => {
    if (req.protocol !== undefined || !(req.body instanceof IncomingBody)) return next(req, call);
    return next({ ...req, body: new KeptBody(req.body, limit) }, call);
  };
}

/** Each attempt reads kept content from its beginning. Right below what repeats. */
export const fromKept: Layer<HttpRequest, HttpResponse> = (next) => (req, call) =>
  next(req.body instanceof KeptBody ? { ...req, body: req.body.view() } : req, call);

function gone(): HeddleError {
  const message = 'the content was larger than what is kept of it, and cannot be sent again';
  return new HeddleError({ code: 'resource_exhausted', reason: 'BODY_NOT_KEPT', message });
}
