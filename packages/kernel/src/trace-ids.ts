import type { TraceContext } from './context.ts';
import type { Random } from './ports/random.ts';

/** The first span of a new trace (W3C Trace Context, section 3.2.2). For edges and jobs: nobody else makes one up. */
export function startTrace(random: Random, sampled: boolean): TraceContext {
  return { traceId: prefixOf(random) + eight(random) + eight(random), spanId: newSpanId(random), sampled };
}

/** A new span of the same trace; the given one is its parent. */
export function childSpan(parent: TraceContext, random: Random): TraceContext {
  const { traceId, sampled, state, undecided } = parent;
  const spanId = newSpanId(random);
  if (undecided === true) return { traceId, spanId, sampled, undecided };
  return state === undefined ? { traceId, spanId, sampled } : { traceId, spanId, sampled, state };
}

function newSpanId(random: Random): string {
  return eight(random) + eight(random, 1);
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

/** Eight hex digits; at least `least`, since an id of zeros only is no id. */
function eight(random: Random, least = 0): string {
  const drawn = random.uint32();
  const value = drawn < least ? least : drawn;
  const high = `${hex[value >>> 24]}${hex[(value >>> 16) & 255]}`;
  return `${high}${hex[(value >>> 8) & 255]}${hex[value & 255]}`;
}
