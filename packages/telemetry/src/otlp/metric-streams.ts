import type { NativeHistogram } from '../promql/native-histogram.ts';
import type { ExponentialBounds } from './exponential-bounds.ts';

/** What has been added up of a stream. */
export interface Stream {
  /** When its counting began, and the time of its last point, in microseconds since 1970. A begin of 0 is not known. */
  readonly startUs: number;
  readonly lastUs: number;
  readonly value: number;
  readonly count: number;
  readonly sum: number | undefined;
  readonly histogram?: NativeHistogram | undefined;
  /** Of exponential histograms. */
  readonly bounds?: ExponentialBounds | undefined;
  /** Series that it is shown as. */
  readonly series: number;
}

/** What a `MetricStreams` may be told. */
export interface MetricStreamsOptions {
  /** Series that all streams together are shown as. Default 50,000, as many as a `MetricStore` keeps. */
  readonly maxSeries?: number;
}

// As long as Prometheus waits before it takes a series to have ended.
const idleUs = 300_000_000;

/**
 * What has to be remembered of streams to make cumulative numbers of them. Their number is bounded: one that is new takes the
 * place of those that have said nothing for five minutes, and where there are none it is refused.
 */
export class MetricStreams {
  readonly #maxSeries: number;
  /** By identity, the one that was updated last at the end. */
  readonly #streams = new Map<string, Stream>();
  #series = 0;

  constructor({ maxSeries = 50_000 }: MetricStreamsOptions = {}) {
    this.#maxSeries = maxSeries;
  }

  /** Streams that are remembered. */
  get size(): number {
    return this.#streams.size;
  }

  get(identity: string): Stream | undefined {
    return this.#streams.get(identity);
  }

  /** False: there is no room for another one. One that is known may grow. */
  keep(identity: string, stream: Stream): boolean {
    const known = this.#streams.get(identity);
    if (known === undefined && !this.#makeRoom(stream)) return false;
    this.#streams.delete(identity);
    this.#streams.set(identity, stream);
    this.#series += stream.series - (known?.series ?? 0);
    return true;
  }

  #makeRoom({ series, lastUs }: Stream): boolean {
    for (const [identity, oldest] of this.#streams) {
      if (this.#series + series <= this.#maxSeries || lastUs - oldest.lastUs < idleUs) break;
      this.#streams.delete(identity);
      this.#series -= oldest.series;
    }
    return this.#series + series <= this.#maxSeries;
  }
}

/** How a delta goes with what has been added up so far. */
type Fit = 'follows' | 'restarts' | 'late';

/**
 * OpenTelemetry's data model on detecting that a sender was restarted: a delta follows if it begins where the one before
 * has ended. Behind a gap, or across that end, adding up begins anew. One that ends no later has been counted already, or
 * comes too late.
 */
export function fitOf(
  stream: Pick<Stream, 'lastUs'>,
  { startUs, timeUs }: { readonly startUs: number; readonly timeUs: number },
): Fit {
  if (timeUs <= stream.lastUs) return 'late';
  return startUs === 0 || startUs === stream.lastUs ? 'follows' : 'restarts';
}
