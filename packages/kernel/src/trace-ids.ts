import type { TraceContext } from './context.ts';
import type { Random } from './ports/random.ts';

/**
 * A span of a trace that began here. Of most calls nobody ever reads the ids, so they are numbers until somebody does; an
 * adapter that writes them to a wire may take the numbers.
 */
export class DrawnSpan implements TraceContext {
  readonly sampled: boolean;
  readonly undecided: true | undefined;
  /** Sixteen hex digits, and two words of eight: the trace's id. */
  readonly prefix: string;
  readonly traceHigh: number;
  readonly traceLow: number;
  /** Two words of eight hex digits: the span's id. */
  readonly spanHigh: number;
  readonly spanLow: number;

  /** Without `parent` the first span of a new trace. */
  constructor(random: Random, sampled: boolean, undecided?: true, parent?: DrawnSpan) {
    this.sampled = sampled;
    this.undecided = undecided;
    this.prefix = parent?.prefix ?? prefixOf(random);
    this.traceHigh = parent?.traceHigh ?? random.uint32();
    this.traceLow = parent?.traceLow ?? random.uint32();
    this.spanHigh = random.uint32();
    // An id of zeros only is no id.
    this.spanLow = random.uint32() || 1;
  }

  get traceId(): string {
    return this.prefix + eight(this.traceHigh) + eight(this.traceLow);
  }

  get spanId(): string {
    return eight(this.spanHigh) + eight(this.spanLow);
  }

  /** What a journal keeps: the ids as texts, since the numbers mean nothing to whoever reads them back. */
  toJSON(): TraceContext {
    const { traceId, spanId, sampled, undecided } = this;
    return undecided === true ? { traceId, spanId, sampled, undecided } : { traceId, spanId, sampled };
  }
}

/** The first span of a new trace (W3C Trace Context, section 3.2.2). For edges and jobs: nobody else makes one up. */
export function startTrace(random: Random, sampled: boolean, undecided?: true): TraceContext {
  return new DrawnSpan(random, sampled, undecided);
}

/** A new span of the same trace; the given one is its parent. */
export function childSpan(parent: TraceContext, random: Random): TraceContext {
  if (parent instanceof DrawnSpan) return new DrawnSpan(random, parent.sampled, parent.undecided, parent);
  const { traceId, sampled, state, undecided } = parent;
  const spanId = eight(random.uint32()) + eight(random.uint32() || 1);
  if (undecided === true) return { traceId, spanId, sampled, undecided };
  return state === undefined ? { traceId, spanId, sampled } : { traceId, spanId, sampled, state };
}

const prefixes = new WeakMap<Random, string>();

/**
 * Sixteen hex digits of the system's entropy, the same for all traces of a process: the fast generator has too few seeds
 * to tell the processes of a large fleet apart. The fixed digits of a version 4 UUID are left out.
 */
function prefixOf(random: Random): string {
  const known = prefixes.get(random);
  if (known !== undefined) return known;
  const digits = random.uuid().replaceAll('-', '');
  const prefix = `${digits.slice(0, 12)}${digits.slice(28)}`;
  prefixes.set(random, prefix);
  return prefix;
}

/** By byte. Numbers from 2^31 on are slow to write in another base. */
const hex: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function eight(value: number): string {
  const high = `${hex[value >>> 24]}${hex[(value >>> 16) & 255]}`;
  return `${high}${hex[(value >>> 8) & 255]}${hex[value & 255]}`;
}
