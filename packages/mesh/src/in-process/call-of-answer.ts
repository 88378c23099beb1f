import { type Call, HeddleError, type Layer } from '@heddle/kernel';
import { type Body, type Fields, type HttpRequest, type HttpResponse, wholeBytes } from '@heddle/wire';

/**
 * Keeps a call open until its answer's content has been read. The layers below make calls of their own for their
 * attempts; behind a proxy it is the proxy's server that sees to this, here nobody else does.
 */
export const endWithAnswer: Layer<HttpRequest, HttpResponse> = (next) => async (req, call) => {
  const inner = call.child();
  try {
    const response = await next(req, inner);
    call.endWith(inner);
    if (inner.endDeferred) return response;
    if (wholeBytes(response.body) !== undefined) {
      inner.end();
      return response;
    }
    return { ...response, body: new EndingBody(response.body, inner) };
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    inner.end(error);
    throw error;
  }
};

/** A body that ends a call when it has been read, or is given up. */
class EndingBody implements Body {
  readonly #body: Body;
  readonly #call: Call;

  constructor(body: Body, call: Call) {
    this.#body = body;
    this.#call = call;
  }

  get size(): number | undefined {
    return this.#body.size;
  }

  get trailers(): Fields | undefined {
    return this.#body.trailers;
  }

  async bytes(limit: number): Promise<Uint8Array> {
    try {
      const bytes = await this.#body.bytes(limit);
      this.#call.end();
      return bytes;
    } catch (thrown) {
      this.#call.end(HeddleError.from(thrown));
      throw thrown;
    }
  }

  cancel(error?: HeddleError): void {
    this.#body.cancel(error);
    this.#call.end(error ?? left());
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    let failure: HeddleError | undefined = left();
    try {
      yield* this.#body;
      failure = undefined;
    } catch (thrown) {
      failure = HeddleError.from(thrown);
      throw failure;
    } finally {
      this.#call.end(failure);
    }
  }
}

function left(): HeddleError {
  const message = 'the answer was not read to its end';
  return new HeddleError({ code: 'cancelled', reason: 'READER_LEFT', message });
}
