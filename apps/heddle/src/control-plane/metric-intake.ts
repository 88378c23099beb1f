import type { Instance } from '@heddle/discovery';
import { hostPort } from '@heddle/discovery';
import type { Clock } from '@heddle/kernel';
import type { MetricStore, Sample } from '@heddle/telemetry';

/** Keeping one scrape in five is as fine as metrics are usually looked at, and keeps two hours of them small. */
const everyMs = 10_000;
/** An instance that nobody has heard of for so long is gone. */
const goneMs = 30_000;

type Target = Readonly<Record<string, string>>;

/** Puts what instances say of themselves into the store of metrics, under Prometheus' labels `job` and `instance`. */
export class MetricIntake {
  readonly #store: MetricStore;
  readonly #clock: Clock;
  readonly #targets = new Map<string, { readonly target: Target; takenMs: number; heardMs: number }>();

  constructor(store: MetricStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Takes a scrape of an instance; undefined: it did not answer. */
  take(instance: Instance, samples: readonly Sample[] | undefined): void {
    const wallMs = Math.floor(this.#clock.wallMs());
    const known = this.#targets.get(instance.id);
    const target = known?.target ?? { job: instance.service, instance: hostPort(instance) };
    if (known !== undefined) known.heardMs = wallMs;
    if (known !== undefined && wallMs - known.takenMs < everyMs - 500) return;
    this.#targets.set(instance.id, { target, takenMs: wallMs, heardMs: wallMs });
    this.#store.scrape(target, samples, wallMs);
    this.#forgetGone(wallMs);
  }

  #forgetGone(wallMs: number): void {
    for (const [id, { target, heardMs }] of this.#targets) {
      if (wallMs - heardMs < goneMs) continue;
      this.#targets.delete(id);
      this.#store.forget(target, wallMs);
    }
    this.#store.expire(wallMs);
  }
}
