import type { TrafficReading } from './traffic-reading.ts';

/** Traffic over a stretch of time. */
export interface Traffic {
  readonly requests: number;
  readonly errors: number;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly seconds: number;
}

interface Reading {
  readonly atMs: number;
  readonly reading: TrafficReading;
}

/**
 * The last readings of one instance, for rates over the last `spanMs`. Counters that fall mean that the process was
 * started anew: what came before does not count, and the new counts do in full (as Prometheus' `rate` has it).
 */
export class TrafficWindow {
  readonly #spanMs: number;
  #readings: Reading[] = [];

  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  /** The newest reading. */
  get latest(): TrafficReading | undefined {
    return this.#readings.at(-1)?.reading;
  }

  add(atMs: number, reading: TrafficReading): void {
    this.#readings.push({ atMs, reading });
    // One reading from before the span is kept, since a rate needs the value at its beginning.
    while (this.#readings.length > 2 && (this.#readings[1] as Reading).atMs <= atMs - this.#spanMs) {
      this.#readings.shift();
    }
  }

  /** Between the oldest reading and the newest. Undefined until there are two. */
  over(): Traffic | undefined {
    const first = this.#readings[0];
    const last = this.#readings.at(-1);
    return first === undefined || last === undefined || first === last
      ? undefined
      : this.#between(this.#readings);
  }

  /** Between the last two readings. Undefined until there are two. */
  latestStep(): Traffic | undefined {
    return this.#readings.length < 2 ? undefined : this.#between(this.#readings.slice(-2));
  }

  /** CPU cores used between the oldest and the newest reading. */
  cpuCores(): number | undefined {
    const first = this.#readings[0];
    const last = this.#readings.at(-1);
    const from = first?.reading.cpuSeconds;
    const to = last?.reading.cpuSeconds;
    if (first === undefined || last === undefined || from === undefined || to === undefined) return undefined;
    const seconds = (last.atMs - first.atMs) / 1000;
    return seconds > 0 && to >= from ? (to - from) / seconds : undefined;
  }

  #between(readings: readonly Reading[]): Traffic {
    let total = noTraffic;
    readings.slice(1).forEach(({ atMs, reading }, at) => {
      const before = readings[at] as Reading;
      total = addTraffic(total, step(before, { atMs, reading }));
    });
    return { ...total, seconds: ((readings.at(-1) as Reading).atMs - (readings[0] as Reading).atMs) / 1000 };
  }
}

/** Nothing. */
export const noTraffic: Traffic = { requests: 0, errors: 0, bounds: [], counts: [], seconds: 0 };

/** The sum, over the longer of the two times: of instances side by side. Buckets are matched by bound. */
export function addTraffic(a: Traffic, b: Traffic): Traffic {
  const sum = new Map(a.bounds.map((bound, at) => [bound, a.counts[at] ?? 0]));
  b.bounds.forEach((bound, at) => sum.set(bound, (sum.get(bound) ?? 0) + (b.counts[at] ?? 0)));
  const bounds = [...sum.keys()].toSorted((x, y) => x - y);
  return {
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    bounds,
    counts: bounds.map((bound) => sum.get(bound) ?? 0),
    seconds: Math.max(a.seconds, b.seconds),
  };
}

function step(from: Reading, to: Reading): Traffic {
  const restarted = to.reading.requests < from.reading.requests;
  const before = restarted ? undefined : from.reading;
  const earlier = new Map(before?.bounds.map((bound, at) => [bound, before.counts[at] ?? 0]));
  return {
    requests: to.reading.requests - (before?.requests ?? 0),
    errors: Math.max(0, to.reading.errors - (before?.errors ?? 0)),
    bounds: to.reading.bounds,
    counts: to.reading.counts.map((count, at) =>
      Math.max(0, count - (earlier.get(to.reading.bounds[at] as number) ?? 0)),
    ),
    seconds: (to.atMs - from.atMs) / 1000,
  };
}

/**
 * The duration in seconds that the share `q` (0 to 1) of the requests did not exceed, by linear interpolation within
 * its bucket, as Prometheus' `histogram_quantile`. Undefined without requests; the highest finite bound beyond that.
 */
export function quantile(traffic: Traffic, q: number): number | undefined {
  const total = traffic.counts.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return undefined;
  const rank = q * total;
  let below = 0;
  for (const [at, count] of traffic.counts.entries()) {
    const low = at === 0 ? 0 : (traffic.bounds[at - 1] as number);
    const high = traffic.bounds[at] as number;
    if (below + count >= rank && count > 0) {
      return high === Number.POSITIVE_INFINITY
        ? low
        : low + (high - low) * Math.max(0, (rank - below) / count);
    }
    below += count;
  }
  return traffic.bounds.at(-2);
}
