import type { Cluster } from '../../model/cluster.ts';
import { type Assignment, type Locality, localityText, type MeshEndpoint } from '../../model/endpoint.ts';

/** Endpoints of one place, as one client sees them. */
export interface PlacedEndpoints {
  readonly locality: Locality;
  /** 0 is asked first. Without a gap. */
  readonly priority: number;
  /** Relative to the other places of its priority, 1 or more. */
  readonly weight: number;
  readonly endpoints: readonly MeshEndpoint[];
}

/** The endpoints by place, in the order in which a client that runs at `from` asks them. Places without weight are left out. */
export function placed(
  { endpoints }: Assignment,
  rules: Cluster['locality'],
  from: Locality,
): readonly PlacedEndpoints[] {
  const byPlace = new Map<string, MeshEndpoint[]>();
  for (const endpoint of endpoints) {
    const key = localityText(endpoint.locality);
    const known = byPlace.get(key);
    if (known === undefined) byPlace.set(key, [endpoint]);
    else known.push(endpoint);
  }
  const places = [...byPlace].map(([text, those]) => ({
    text,
    endpoints: those,
    locality: those[0]?.locality ?? nowhere,
  }));
  if (rules.kind === 'distribute') {
    const table = rules.distribute.find((each) => covers(each.from, localityText(from)));
    if (table !== undefined) return distributed(places, table.to);
  }
  if (rules.kind !== 'failover')
    return places.map((place) => ({ ...place, priority: 0, weight: weightOf(place) }));
  const ranks = places.map((place) => rankOf(place.locality, from, rules.failover));
  const order = [...new Set(ranks)].toSorted((a, b) => a - b);
  return places.map((place, at) => ({
    ...place,
    priority: order.indexOf(ranks[at] ?? 0),
    weight: weightOf(place),
  }));
}

interface Place {
  readonly text: string;
  readonly locality: Locality;
  readonly endpoints: readonly MeshEndpoint[];
}

const nowhere: Locality = { region: '', zone: '', subZone: '' };

/** Places that one entry covers share its weight by what they can carry, to a hundredth. */
function distributed(places: readonly Place[], to: Readonly<Record<string, number>>): PlacedEndpoints[] {
  const entries = Object.entries(to);
  const entryOf = ({ text }: Place): number => entries.findIndex(([pattern]) => covers(pattern, text));
  const capacity = entries.map((_, at) =>
    places.filter((place) => entryOf(place) === at).reduce((sum, place) => sum + weightOf(place), 0),
  );
  return places.flatMap((place) => {
    const at = entryOf(place);
    const share = entries[at]?.[1] ?? 0;
    if (share <= 0) return [];
    const weight = Math.max(1, Math.round((share * 100 * weightOf(place)) / (capacity[at] ?? 1)));
    return [{ ...place, priority: 0, weight }];
  });
}

/** 0: the same subzone; 1: zone; 2: region; 3: where the rules send the region; 4: elsewhere. */
function rankOf(
  at: Locality,
  from: Locality,
  failover: readonly { readonly from: string; readonly to: string }[],
): number {
  if (at.region === from.region) {
    if (at.zone !== from.zone) return 2;
    return at.subZone === from.subZone ? 0 : 1;
  }
  return failover.some((each) => each.from === from.region && each.to === at.region) ? 3 : 4;
}

function weightOf({ endpoints }: Place): number {
  return endpoints.reduce((sum, { weight }) => sum + weight, 0);
}

/** `region/*` covers all below the region, `*` all. */
function covers(pattern: string, text: string): boolean {
  if (pattern === '*') return true;
  if (!pattern.endsWith('/*')) return pattern === text;
  const start = pattern.slice(0, -2);
  return text === start || text.startsWith(`${start}/`);
}
