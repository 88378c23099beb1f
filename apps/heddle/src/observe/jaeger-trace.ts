/** A trace as the control plane's query API shows it. */
export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

/** A span of it. Times in microseconds. */
export interface JaegerSpan {
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly { readonly refType: string; readonly spanID: string }[];
  readonly startTime: number;
  readonly duration: number;
  readonly processID: string;
  readonly tags: readonly { readonly key: string; readonly value: string | boolean | number }[];
}

/** A tag's text; empty where there is none. */
export function tagOf({ tags }: JaegerSpan, key: string): string {
  const tag = tags.find((each) => each.key === key);
  return tag === undefined ? '' : String(tag.value);
}

/** The span that a trace begins with, as far as it is known: the earliest one whose parent is not there. */
export function rootOf({ spans }: JaegerTrace): JaegerSpan | undefined {
  const known = new Set(spans.map(({ spanID }) => spanID));
  const roots = spans.filter((span) => !known.has(parentOf(span)));
  return roots.toSorted((a, b) => a.startTime - b.startTime)[0];
}

/** The id of a span's parent; empty for the first of a trace. */
export function parentOf({ references }: JaegerSpan): string {
  return references.find(({ refType }) => refType === 'CHILD_OF')?.spanID ?? '';
}

/** A duration for people: three digits and a unit. */
export function durationText(us: number): string {
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 1_000_000) return `${(us / 1000).toPrecision(us < 100_000 ? 3 : 4).replace(/\.0+$/, '')} ms`;
  return `${(us / 1_000_000).toFixed(2)} s`;
}
