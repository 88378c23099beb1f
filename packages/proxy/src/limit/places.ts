import { HeddleError, type Layer } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';

/**
 * How many requests are in flight, counted over all versions of the configuration: a reload must not let in as many
 * again as are still running.
 */
export class Places {
  #taken = 0;
  readonly #release = (): void => {
    this.#taken--;
  };

  /** Requests from their start to the last byte of their answer. */
  get taken(): number {
    return this.#taken;
  }

  /** At most `max` at a time; further ones are refused with `resource_exhausted` / `CONCURRENCY_LIMIT`, `sent: false`. */
  atMost(max: number): Layer<HttpRequest, HttpResponse> {
    return (next) => (req, call) => {
      if (this.#taken >= max) return Promise.reject(full(max));
      this.#taken++;
      call.onEnd(this.#release);
      return next(req, call);
    };
  }
}

function full(max: number): HeddleError {
  const message = `the gateway takes ${max} calls at a time, and they are in progress`;
  return new HeddleError({ code: 'resource_exhausted', reason: 'CONCURRENCY_LIMIT', message, sent: false });
}
