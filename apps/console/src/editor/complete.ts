/** The keys of an object with what each may hold. */
export interface Term {
  readonly what: string;
  readonly keys?: Readonly<Record<string, Term>>;
}

/** A kind of resource, with the keys of its `spec`. */
export interface KindTerms {
  readonly kind: string;
  readonly apiVersion: string;
  readonly spec: Term;
}

/** What may be written at a place. */
export interface Completion {
  readonly label: string;
  readonly what: string;
  /** What is written for it. */
  readonly apply: string;
}

const object: Readonly<Record<string, Term>> = {
  name: { what: 'a text' },
  namespace: { what: 'a text' },
  labels: { what: 'a map of texts' },
  annotations: { what: 'a map of texts' },
};

/**
 * What may be written where `at` is in a text of YAML documents: kinds, the keys of an object, and those of its `spec` by
 * its kind. By indentation alone, so that a text that is not finished is read too.
 */
export function completionsAt(text: string, at: number, kinds: readonly KindTerms[]): readonly Completion[] {
  const before = text.slice(0, at).split('\n');
  const line = before.at(-1) ?? '';
  const start = before.slice(0, -1).lastIndexOf('---') + 1;
  const above = before.slice(start, -1);
  const value = /^(kind|apiVersion):\s*(\S*)$/.exec(line);
  if (value?.[1] === 'kind') return kinds.map(({ kind, apiVersion }) => plain(kind, apiVersion));
  if (value?.[1] === 'apiVersion')
    return [...new Set(kinds.map(({ apiVersion }) => apiVersion))].map((one) => plain(one, ''));
  if (/:\s/.test(line)) return [];
  const term = termAt(documentAround(text, at), pathAt(above, indentOf(line)), kinds);
  return Object.entries(term?.keys ?? {}).map(([label, { what, keys }]) => ({
    label,
    what,
    apply: keys === undefined ? `${label}: ` : `${label}:`,
  }));
}

function plain(label: string, what: string): Completion {
  return { label, what, apply: label };
}

function documentAround(text: string, at: number): string {
  const from = text.lastIndexOf('\n---', at - 1) + 1;
  const to = text.indexOf('\n---', at);
  return text.slice(from, to < 0 ? text.length : to);
}

/** Where a key of a line stands: the dashes of a list are indentation too. */
function indentOf(line: string): number {
  return /^[\s-]*/.exec(line)?.[0].length ?? 0;
}

/** The keys that a line is below, from the root. */
function pathAt(above: readonly string[], indent: number): string[] {
  const path: string[] = [];
  let inner = indent;
  for (const line of above.toReversed()) {
    const key = /^[\s-]*([\w.-]+):/.exec(line)?.[1];
    const own = indentOf(line);
    if (key === undefined || own >= inner) continue;
    path.unshift(key);
    inner = own;
  }
  return path;
}

function termAt(document: string, path: readonly string[], kinds: readonly KindTerms[]): Term | undefined {
  const kind = /^kind:\s*(\S+)/m.exec(document)?.[1];
  const version = /^apiVersion:\s*(\S+)/m.exec(document)?.[1] ?? '';
  const group = version.split('/')[0] ?? '';
  const known =
    kinds.find((one) => one.kind === kind && one.apiVersion.startsWith(`${group}/`)) ??
    kinds.find((one) => one.kind === kind);
  const spec = known?.spec ?? { what: 'an object' };
  const root: Term = {
    what: 'a resource',
    keys: {
      apiVersion: { what: 'a text' },
      kind: { what: 'a text' },
      metadata: { what: 'an object', keys: object },
      spec,
    },
  };
  return path.reduce<Term | undefined>((term, key) => term?.keys?.[key], root);
}
