import { type Clock, HeddleError } from '@heddle/kernel';

const windowMs = 5 * 60_000;
const most = { name: 10, all: 100 };

/** Slows guessing down: after ten wrong passwords for a name, or a hundred in all, within five minutes nobody may try. */
export class Throttle {
  readonly #clock: Clock;
  #failures: { readonly name: string; readonly atMs: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws `resource_exhausted` / `TOO_MANY_ATTEMPTS`. */
  check(name: string): void {
    const sinceMs = this.#clock.nowMs() - windowMs;
    this.#failures = this.#failures.filter(({ atMs }) => atMs > sinceMs);
    const own = this.#failures.filter((failure) => failure.name === name).length;
    if (own < most.name && this.#failures.length < most.all) return;
    const message = 'too many wrong passwords; try again in five minutes';
    throw new HeddleError({ code: 'resource_exhausted', reason: 'TOO_MANY_ATTEMPTS', message, sent: false });
  }

  failed(name: string): void {
    this.#failures.push({ name, atMs: this.#clock.nowMs() });
  }

  /** The right password forgives the wrong ones before it. */
  succeeded(name: string): void {
    this.#failures = this.#failures.filter((failure) => failure.name !== name);
  }
}
