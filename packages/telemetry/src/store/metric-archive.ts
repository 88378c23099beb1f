import { HeddleError, type Part, type Runtime, type Timer } from '@heddle/kernel';
import type { MetricPoint } from '../otlp/signal.ts';
import type { Expression } from '../promql/ast.ts';
import type { QueryRange } from '../promql/evaluating.ts';
import { selectorBounds } from '../promql/selector-bounds.ts';
import type { Matcher, SeriesData, SeriesSource } from '../promql/source.ts';
import type { MetricReader } from '../query/prometheus-api.ts';
import type { MetricHistory } from './metric-history.ts';
import type { MetricStore } from './metric-store.ts';

const everyMs = 10_000;
const headMs = 7_200_000;

/**
 * Metrics in memory and on disk as one: what is new is written every ten seconds, and what a query needs that memory no
 * longer has comes from disk. What is pushed is kept when `push` resolves; scrapes may lose the last ten seconds.
 */
export class MetricArchive implements MetricReader, Part {
  readonly name = 'metrics';
  readonly #runtime: Runtime;
  readonly #store: MetricStore;
  readonly #history: MetricHistory;
  #timer: Timer | undefined;
  #stopped = false;
  /** From when on memory has everything. */
  #headFromMs = 0;

  constructor(runtime: Runtime, store: MetricStore, history: MetricHistory) {
    this.#runtime = runtime;
    this.#store = store;
    this.#history = history;
  }

  /** Takes the last two hours back into memory. */
  async start(): Promise<void> {
    const nowMs = this.#runtime.clock.wallMs();
    this.#headFromMs = nowMs - headMs;
    for (const { labels, times, values } of await this.#history.samples([], this.#headFromMs, nowMs))
      for (let at = 0; at < times.length; at++) {
        const value = values[at];
        this.#store.restore(labels, times[at] as number, typeof value === 'number' ? value : undefined);
      }
    this.#again();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.flush();
  }

  /** Takes points that were pushed; they are on disk when it resolves. */
  async push(points: readonly MetricPoint[]): Promise<void> {
    this.#store.push(points);
    await this.flush();
  }

  async flush(): Promise<void> {
    const samples = this.#store.takeNew();
    if (samples.length > 0) await this.#history.writeSamples(samples);
  }

  async sourceFor(expression: Expression, range: QueryRange): Promise<SeriesSource> {
    const bounds = selectorBounds(expression, range);
    const fromMs = Math.min(...[...bounds.values()].map((each) => each.fromMs));
    if (fromMs >= this.#begin) return this.#store;
    await this.flush();
    const found = new Map<readonly Matcher[], readonly SeriesData[]>();
    for (const [{ matchers }, { fromMs: from, toMs }] of bounds)
      found.set(matchers, await this.#history.samples(matchers, from, toMs));
    return { select: (matchers) => found.get(matchers) ?? [] };
  }

  async sourceBetween(fromMs: number, toMs: number): Promise<SeriesSource> {
    if (fromMs >= this.#begin) return this.#store;
    await this.flush();
    const all = await this.#history.samples([], fromMs, toMs);
    return {
      select: (matchers) =>
        all.filter(({ labels }) => matchers.every((each) => each.matches(labels.get(each.name)))),
    };
  }

  get #begin(): number {
    return Math.max(this.#headFromMs, this.#runtime.clock.wallMs() - headMs);
  }

  #again(): void {
    if (this.#stopped) return;
    this.#timer = this.#runtime.timers.after(everyMs, () => {
      void this.flush()
        .catch((thrown: unknown) => {
          const { reason, message } = HeddleError.from(thrown);
          this.#runtime.log('error', 'metrics could not be written to disk', { reason, error: message });
        })
        .finally(() => this.#again());
    });
  }
}
