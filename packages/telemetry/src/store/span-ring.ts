import type { SpanData } from '../otlp/signal.ts';
import type { SpanQuery, Trace } from './query.ts';

const none = -1;

/**
 * The newest spans, for live views: what they are searched by lies in typed arrays, so that a search is a walk over a few
 * columns. A full ring forgets the oldest.
 */
export class SpanRing {
  readonly #size: number;
  readonly #startUs: Float64Array;
  readonly #durationUs: Float64Array;
  readonly #service: Uint32Array;
  readonly #name: Uint32Array;
  readonly #failed: Uint8Array;
  /** The span before it that has the same hash of its trace id; and where each hash begins. */
  readonly #earlier: Int32Array;
  readonly #newest: Int32Array;
  readonly #spans: (SpanData | undefined)[];
  readonly #words = new Words();
  #written = 0;

  /** `size`: spans that are kept; a power of two. */
  constructor(size = 65_536) {
    this.#size = size;
    this.#startUs = new Float64Array(size);
    this.#durationUs = new Float64Array(size);
    this.#service = new Uint32Array(size);
    this.#name = new Uint32Array(size);
    this.#failed = new Uint8Array(size);
    this.#earlier = new Int32Array(size).fill(none);
    this.#newest = new Int32Array(size).fill(none);
    this.#spans = Array.from({ length: size }, () => undefined);
  }

  /** When the oldest span came that is still there may be told by this: what began before it may be gone. */
  get holdsSinceUs(): number {
    return this.#written <= this.#size ? this.#since : this.#forgottenUs;
  }

  // From when on all spans are here: the start of the process, then the newest start among the forgotten.
  #since = Number.POSITIVE_INFINITY;
  #forgottenUs = Number.NEGATIVE_INFINITY;

  /** States from when on it has been given all spans. */
  begin(sinceUs: number): void {
    this.#since = sinceUs;
    this.#forgottenUs = sinceUs;
  }

  add(span: SpanData): void {
    const slot = this.#written % this.#size;
    const forgotten = this.#spans[slot];
    if (forgotten !== undefined && forgotten.startUs > this.#forgottenUs)
      this.#forgottenUs = forgotten.startUs;
    this.#written++;
    this.#spans[slot] = span;
    this.#startUs[slot] = span.startUs;
    this.#durationUs[slot] = span.durationUs;
    this.#service[slot] = this.#words.number(span.resource.service);
    this.#name[slot] = this.#words.number(span.name);
    this.#failed[slot] = span.failed ? 1 : 0;
    const hash = this.#hash(span.traceId);
    const before = this.#newest[hash] as number;
    // A chain that leads to this very slot has gone round: what is beyond it was forgotten.
    this.#earlier[slot] = before === slot ? none : before;
    this.#newest[hash] = slot;
  }

  trace(traceId: string): readonly SpanData[] {
    const found: SpanData[] = [];
    const seen = new Set<number>();
    for (let slot = this.#newest[this.#hash(traceId)] as number; slot !== none && !seen.has(slot); ) {
      seen.add(slot);
      const span = this.#spans[slot];
      if (span?.traceId === traceId) found.push(span);
      slot = this.#earlier[slot] as number;
    }
    return found;
  }

  /** Only what it has; `holdsSinceUs` tells whether that is all. */
  search(query: SpanQuery): readonly Trace[] {
    const {
      service,
      operation,
      fromUs,
      toUs,
      minDurationUs = 0,
      maxDurationUs = Number.POSITIVE_INFINITY,
    } = query;
    const wantedService = service === undefined ? none : this.#words.find(service);
    const wantedName = operation === undefined ? none : this.#words.find(operation);
    if (wantedService === undefined || wantedName === undefined) return [];
    const found = new Map<string, number>();
    const tags = Object.entries(query.tags);
    const count = Math.min(this.#written, this.#size);
    for (let back = 1; back <= count; back++) {
      const slot = (this.#written - back) % this.#size;
      const startUs = this.#startUs[slot] as number;
      if (startUs < fromUs || startUs > toUs) continue;
      if (wantedService !== none && this.#service[slot] !== wantedService) continue;
      if (wantedName !== none && this.#name[slot] !== wantedName) continue;
      const durationUs = this.#durationUs[slot] as number;
      if (durationUs < minDurationUs || durationUs > maxDurationUs) continue;
      if (query.failed !== undefined && query.failed !== (this.#failed[slot] === 1)) continue;
      const span = this.#spans[slot] as SpanData;
      if (!tags.every(([key, value]) => hasTag(span, key, value))) continue;
      found.set(span.traceId, Math.max(startUs, found.get(span.traceId) ?? 0));
    }
    return newestTraces(found, query.limit).map((traceId) => ({ traceId, spans: this.trace(traceId) }));
  }

  /** Names of services, and of what each does. */
  operations(): ReadonlyMap<string, ReadonlySet<string>> {
    const all = new Map<string, Set<string>>();
    for (const span of this.#spans) {
      if (span === undefined) continue;
      const known = all.get(span.resource.service);
      if (known === undefined) all.set(span.resource.service, new Set([span.name]));
      else known.add(span.name);
    }
    return all;
  }

  #hash(traceId: string): number {
    // Its last digits are as random as any.
    return Number.parseInt(traceId.slice(-7), 16) % this.#size;
  }
}

/** Ids of traces by the newest of their spans that were found. */
function newestTraces(found: ReadonlyMap<string, number>, limit: number): readonly string[] {
  const newestFirst = [...found].toSorted(([, a], [, b]) => b - a);
  return newestFirst.slice(0, limit).map(([traceId]) => traceId);
}

/** Whether a span, or who sent it, has an attribute with this text. `error=true` are those that failed. */
function hasTag(span: SpanData, key: string, value: string): boolean {
  if (key === 'error') return String(span.failed) === value;
  const found = span.attributes[key] ?? span.resource.attributes[key];
  return found !== undefined && (typeof found === 'string' ? found : JSON.stringify(found)) === value;
}

/** Numbers for words. */
class Words {
  readonly #numbers = new Map<string, number>();

  number(word: string): number {
    const known = this.#numbers.get(word);
    if (known !== undefined) return known;
    // Names that explode must not fill the memory: beyond this all are one, and not found by it.
    const made = this.#numbers.size < 100_000 ? this.#numbers.size : 0xffff_ffff;
    if (made < 100_000) this.#numbers.set(word, made);
    return made;
  }

  find(word: string): number | undefined {
    return this.#numbers.get(word);
  }
}
