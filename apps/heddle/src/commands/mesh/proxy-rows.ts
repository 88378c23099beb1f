import type { ProxyView } from '@heddle/mesh/xds';

const types = ['cluster', 'endpoints', 'secret', 'listener', 'route'] as const;

/**
 * A row for each proxy: of every type the version of the rules that it has acknowledged, `4 > 5` while it has not
 * answered to 5, `-` for what it has not asked for; and what it has refused.
 */
export function proxyRows(proxies: readonly ProxyView[]): Record<string, string>[] {
  return proxies
    .toSorted((a, b) => (a.node < b.node ? -1 : 1))
    .map(({ node, protocol, types: known, refused }) => ({
      proxy: node,
      protocol,
      ...Object.fromEntries(types.map((type) => [type, stateOf(known.find((each) => each.type === type))])),
      refused: refused.length === 0 ? '-' : refused.map(({ name }) => name).join(' '),
    }));
}

function stateOf(of: ProxyView['types'][number] | undefined): string {
  if (of === undefined) return '-';
  const acknowledged = of.acknowledged === '' ? 'none' : of.acknowledged;
  return of.pending === undefined ? acknowledged : `${acknowledged} > ${of.pending}`;
}
