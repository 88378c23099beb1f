import type { PathMatch, RouteMatch } from '../model/route.ts';

const pathKinds: Readonly<Record<PathMatch['kind'], number>> = { exact: 0, template: 1, regex: 2, prefix: 3 };

/**
 * Orders two routes, the more specific first, by what is said first of:
 * 1. the host: a name, then a wildcard (the longer first), then any;
 * 2. the path: exact, template, regular expression, prefix; of two templates the one with a plain segment where the
 *    other has a name, from the left; of two expressions or prefixes the longer;
 * 3. a method, before any;
 * 4. the number of headers, then of query parameters, more first;
 * 5. a source: one with subjects, then one with zones, before any.
 * What is still equal keeps the order of the file.
 */
export function bySpecificity(a: RouteMatch, b: RouteMatch): number {
  return (
    byHost(a, b) ||
    byPath(a.path, b.path) ||
    Number(a.methods.length === 0) - Number(b.methods.length === 0) ||
    b.headers.length - a.headers.length ||
    b.query.length - a.query.length ||
    bySource(b) - bySource(a)
  );
}

function bySource({ source }: RouteMatch): number {
  if (source === undefined) return 0;
  return (source.subjects.length > 0 ? 2 : 0) + (source.zones.length > 0 ? 1 : 0);
}

/** One host of each: `RouterTable` takes a route with several hosts apart. */
function byHost(a: RouteMatch, b: RouteMatch): number {
  return hostRank(b.hosts[0]) - hostRank(a.hosts[0]);
}

/** Exact names are longer than any wildcard. */
function hostRank(host: string | undefined): number {
  if (host === undefined) return 0;
  return host.startsWith('*.') ? host.length : 1000;
}

function byPath(a: PathMatch, b: PathMatch): number {
  const kind = pathKinds[a.kind] - pathKinds[b.kind];
  if (kind !== 0) return kind;
  if (a.kind === 'template') return byTemplate(a.value, b.value);
  return a.kind === 'exact' ? 0 : b.value.length - a.value.length;
}

function byTemplate(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  for (const [at, segment] of left.entries()) {
    const order = Number(isName(segment)) - Number(isName(right[at] ?? ''));
    if (order !== 0) return order;
  }
  return 0;
}

/** True for `{id}`. */
export function isName(segment: string): boolean {
  return segment.startsWith('{');
}
