import type { Part, Timer } from '@heddle/kernel';
import type { MetricRegistry } from '../metrics/registry.ts';
import { encodeMetrics } from './encode-metrics.ts';
import { OtlpPost, type OtlpReceiver } from './otlp-post.ts';
import type { Attributes } from './signal.ts';

/** What `MetricExporter` may be told. */
export interface MetricExporterOptions extends OtlpReceiver {
  readonly registry: MetricRegistry;
  /** Who this process is: `service.name`, `service.instance.id` … */
  readonly resource: Attributes;
  /** Default 15,000. */
  readonly everyMs?: number;
}

/**
 * Sends a registry's metrics by OTLP, for receivers that do not scrape. The numbers are totals since the start, so that one that
 * is away for a while misses moments and no counts.
 */
export class MetricExporter implements Part {
  readonly name = 'metric export';
  readonly #options: MetricExporterOptions;
  readonly #post: OtlpPost;
  readonly #startMs: number;
  #timer: Timer | undefined;
  #sending: Promise<void> | undefined;
  #stopped = false;
  #failed = false;

  constructor(options: MetricExporterOptions) {
    this.#options = options;
    this.#post = new OtlpPost(options);
    this.#startMs = options.runtime.clock.wallMs();
  }

  start(): Promise<void> {
    this.#again();
    return Promise.resolve();
  }

  /** Sends the last numbers. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#sending;
    await this.#send();
    this.#post.close();
  }

  #again(): void {
    const { runtime, everyMs = 15_000 } = this.#options;
    if (this.#stopped) return;
    this.#timer = runtime.timers.after(everyMs, () => {
      this.#sending = this.#send().finally(() => this.#again());
    });
  }

  async #send(): Promise<void> {
    const { runtime, registry, resource } = this.#options;
    const times = { startMs: this.#startMs, nowMs: runtime.clock.wallMs() };
    const status = await this.#post.post('/v1/metrics', encodeMetrics(resource, registry, times));
    const failed = typeof status !== 'number' || status > 299;
    if (failed && !this.#failed) {
      const error = typeof status === 'number' ? `it answered ${status}` : status.message;
      runtime.log('warn', 'metrics could not be sent', { error });
    }
    this.#failed = failed;
  }
}
