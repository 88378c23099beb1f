import { calledByEnvoy } from '../envoy/envoy-source.ts';
import type { SpanData } from '../otlp/signal.ts';
import { bucketBoundsUs, bucketOf, type Edge } from './query.ts';

const minuteUs = 60_000_000;
const server = 2;
const consumer = 5;

/** The calls of one minute between two services. */
export interface EdgeMinute extends Edge {
  /** Begin of the minute, in microseconds since 1970. */
  readonly minuteUs: number;
}

interface Waiting {
  readonly server: string;
  readonly startUs: number;
  readonly durationUs: number;
  readonly failed: boolean;
}

type Counted = { -readonly [K in keyof EdgeMinute]: EdgeMinute[K] } & { buckets: number[] };

/**
 * Derives who calls whom from spans as they come: a server's span whose parent is another service's is a call. The two
 * come in either order and from different processes, so whichever is first waits for the other.
 */
export class EdgeTally {
  /** By span id: whose it is. */
  readonly #owners: Recent<string>;
  /** By the parent's span id. */
  readonly #waiting: Recent<Waiting[]>;
  #minutes = new Map<string, Counted>();

  /** `most`: spans that are remembered, and calls that wait, at a time. Default 200,000. */
  constructor(most = 200_000) {
    this.#owners = new Recent(most);
    this.#waiting = new Recent(most);
  }

  add(span: SpanData): void {
    const { spanId, parentSpanId, kind } = span;
    const { service } = span.resource;
    this.#owners.set(spanId, service);
    const children = this.#waiting.get(spanId);
    if (children !== undefined) {
      this.#waiting.delete(spanId);
      for (const child of children) this.#count(service, child);
    }
    const { startUs, durationUs, failed } = span;
    // Nobody else tells of it: whom an Envoy calls may have no spans.
    const peer = calledByEnvoy(span);
    if (peer !== undefined) this.#count(service, { server: peer, startUs, durationUs, failed });
    if (parentSpanId === '' || (kind !== server && kind !== consumer)) return;
    const call: Waiting = { server: service, startUs, durationUs, failed };
    const owner = this.#owners.get(parentSpanId);
    if (owner !== undefined) this.#count(owner, call);
    else this.#wait(parentSpanId, call);
  }

  /** What was counted since the last time. */
  take(): readonly EdgeMinute[] {
    const taken = [...this.#minutes.values()];
    this.#minutes = new Map();
    return taken;
  }

  /** What was counted since the last `take`, between two times. */
  peek(fromUs: number, toUs: number): readonly EdgeMinute[] {
    return [...this.#minutes.values()].filter((each) => isWithin(each.minuteUs, fromUs, toUs));
  }

  #wait(parent: string, call: Waiting): void {
    const others = this.#waiting.get(parent);
    if (others === undefined) this.#waiting.set(parent, [call]);
    else others.push(call);
  }

  #count(client: string, call: Waiting): void {
    if (client === call.server) return;
    const minute = Math.floor(call.startUs / minuteUs) * minuteUs;
    const key = `${minute} ${client}\n${call.server}`;
    let edge = this.#minutes.get(key);
    if (edge === undefined) {
      const buckets = Array.from({ length: bucketBoundsUs.length + 1 }, () => 0);
      edge = { minuteUs: minute, client, server: call.server, calls: 0, failures: 0, totalUs: 0, buckets };
      this.#minutes.set(key, edge);
    }
    edge.calls++;
    if (call.failed) edge.failures++;
    edge.totalUs += call.durationUs;
    const bucket = bucketOf(call.durationUs);
    edge.buckets[bucket] = (edge.buckets[bucket] ?? 0) + 1;
  }
}

/** Whether a minute lies, at least in part, between two times. */
function isWithin(minute: number, fromUs: number, toUs: number): boolean {
  return minute > fromUs - minuteUs && minute <= toUs;
}

/** Adds minutes up to one edge for each pair of services. */
export function mergeEdges(minutes: Iterable<Edge>): readonly Edge[] {
  const merged = new Map<string, Counted>();
  for (const each of minutes) {
    const key = `${each.client}\n${each.server}`;
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { ...each, minuteUs: 0, buckets: [...each.buckets] });
    else {
      known.calls += each.calls;
      known.failures += each.failures;
      known.totalUs += each.totalUs;
      each.buckets.forEach((count, at) => {
        known.buckets[at] = (known.buckets[at] ?? 0) + count;
      });
    }
  }
  return [...merged.values()].map(({ minuteUs: _, ...edge }) => edge);
}

/**
 * The newest entries, in two generations: when the young one is full, the old one goes as a whole. To take the oldest out of one
 * map, entry by entry, would be to walk over all that were taken out before.
 */
class Recent<T> {
  readonly #half: number;
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  /** At least half of `most` are kept, and `most` at most. */
  constructor(most: number) {
    this.#half = Math.max(1, Math.floor(most / 2));
  }

  get(key: string): T | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: string, value: T): void {
    this.#young.set(key, value);
    if (this.#young.size < this.#half) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }
}
