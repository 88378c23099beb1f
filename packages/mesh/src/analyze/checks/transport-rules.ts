import type { Path, ResourceOf, TcpMatch, TlsMatch } from '../../resources/index.ts';
import type { Check, Tell } from '../check.ts';
import { overlap } from './host-overlap.ts';

type Match = TcpMatch | TlsMatch;

/** The `tls` and `tcp` rules of VirtualServices: which of them are never reached. */
export const transportRules: Check = (inventory, tell) => {
  for (const service of inventory.of('VirtualService'))
    for (const kind of ['tls', 'tcp'] as const) checkOrder(service, kind, tell);
};

function checkOrder(service: ResourceOf<'VirtualService'>, kind: 'tls' | 'tcp', tell: Tell): void {
  const before: { readonly match: Match | undefined; readonly rule: number }[] = [];
  for (const [index, { match = [] }] of (service.spec[kind] ?? []).entries()) {
    const at: Path = ['spec', kind, index];
    const matches: readonly (Match | undefined)[] = match.length === 0 ? [undefined] : match;
    const covered = matches.map((each) => before.find((earlier) => covers(earlier.match, each)));
    for (const [number, by] of covered.entries())
      if (by !== undefined && match.length > 0)
        tell('MATCH_INEFFECTIVE', service, [...at, 'match', number], `${kind}[${by.rule}] takes it already`);
    if (covered.every((by) => by !== undefined)) {
      const rules = [...new Set(covered.map((by) => by?.rule))].join(', ');
      tell('RULE_UNREACHABLE', service, at, `${kind}[${rules}] takes all that this rule matches`);
    }
    for (const each of matches) before.push({ match: each, rule: index });
  }
}

/** True if every connection that `inner` matches is matched by `outer`, as far as the texts tell. */
function covers(outer: Match | undefined, inner: Match | undefined): boolean {
  return Object.entries(outer ?? {}).every(([field, value]) => {
    const other = (inner as Readonly<Record<string, unknown>> | undefined)?.[field];
    if (field !== 'sniHosts') return JSON.stringify(value) === JSON.stringify(other);
    const [wide, narrow] = [value, other ?? []] as readonly (readonly string[])[];
    return (
      narrow?.length !== 0 && narrow?.every((name) => wide?.some((each) => isWithin(name, each))) === true
    );
  });
}

function isWithin(name: string, pattern: string): boolean {
  return (
    name === pattern || (pattern.startsWith('*') && overlap(name, pattern) && name.length >= pattern.length)
  );
}
