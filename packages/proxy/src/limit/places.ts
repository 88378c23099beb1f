import { type Call, HeddleError, type Layer } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';

/** Places of several gateways that serve together, as one of them sees them. */
export interface PlaceLease {
  /** How many this one may fill without asking. */
  readonly granted: number;
  /** True when `granted` has grown; false when all places of all are taken. Must not reject. */
  more(): Promise<boolean>;
}

/**
 * How many requests are in flight, counted over all versions of the configuration: a reload must not let in as many
 * again as are still running.
 */
export class Places {
  #taken = 0;
  readonly #lease: PlaceLease | undefined;
  readonly #release = (): void => {
    this.#taken--;
  };

  /** `lease`: the places are shared with others. */
  constructor(lease?: PlaceLease) {
    this.#lease = lease;
  }

  /** Requests from their start to the last byte of their answer. */
  get taken(): number {
    return this.#taken;
  }

  /** At most `max` at a time; further ones are refused with `resource_exhausted` / `CONCURRENCY_LIMIT`, `sent: false`. */
  atMost(max: number): Layer<HttpRequest, HttpResponse> {
    const lease = this.#lease;
    return (next) => {
      const waiting = async (held: PlaceLease, req: HttpRequest, call: Call): Promise<HttpResponse> => {
        await this.#afterMore(held, max, call);
        return next(req, call);
      };
      return (req, call) => {
        if (this.#taken >= max) return Promise.reject(full(max));
        if (lease !== undefined && this.#taken >= lease.granted) return waiting(lease, req, call);
        this.#take(call);
        return next(req, call);
      };
    };
  }

  /** Others that have waited too may be first: then it is asked again. */
  async #afterMore(lease: PlaceLease, max: number, call: Call): Promise<void> {
    while (this.#taken >= lease.granted) {
      const granted = await lease.more();
      call.throwIfCancelled();
      if (!granted && this.#taken >= lease.granted) throw full(max);
    }
    this.#take(call);
  }

  #take(call: Call): void {
    this.#taken++;
    call.onEnd(this.#release);
  }
}

function full(max: number): HeddleError {
  const message = `the gateway takes ${max} calls at a time, and they are in progress`;
  return new HeddleError({ code: 'resource_exhausted', reason: 'CONCURRENCY_LIMIT', message, sent: false });
}
