import { list, object, type Place, type Read } from '../document.ts';
import type { RouteMatch } from '../route.ts';
import type { RouteDocument } from '../route-schema.ts';
import { hostNames } from './rule-parts.ts';

/** What a rule of a resource means: a route for each of its matches. */
export interface MeantRoute {
  readonly match: RouteMatch;
  readonly document: RouteDocument;
}

/** A rule of a resource, and what it means; undefined where it cannot be read. */
export interface RuleReading {
  readonly place: Place;
  readonly routes: readonly MeantRoute[] | undefined;
  /** What it is for, where that much can be read. */
  readonly matches: readonly RouteMatch[];
}

/** A rule as read, before it meets the host names. */
export interface Rule {
  readonly matches: readonly Omit<RouteMatch, 'hosts'>[];
  readonly document: RouteDocument;
}

/** How the rules of a kind of resource are read. */
export interface RuleKind {
  readonly rule: Read<Rule>;
  readonly match: Read<Omit<RouteMatch, 'hosts'>>;
  /** Of a rule without matches. */
  readonly everything: Omit<RouteMatch, 'hosts'>;
}

/** Reads the `spec` of a resource: every rule, also those with mistakes, with what they are for. `title` names it. */
export function specOf({
  rule,
  match,
  everything,
}: RuleKind): (at: Place, title: string) => readonly RuleReading[] | undefined {
  return (at, title) => {
    const spec = object<{ parentRefs?: unknown[]; hostnames?: string[]; rules: Rule[] }>(
      {
        // Whom it is for has been said by giving it to this gateway.
        parentRefs: list((ref) => ref.path, 32),
        hostnames: hostNames,
        // Read below, each by its own name: so that a mistake closes its rule and no other.
        rules: () => [],
      },
      ['rules'],
    )(at);
    const places = at.key('rules')?.items((index) => `${title} rules[${index}]`);
    if (spec === undefined || places === undefined) return at.expected('"rules"');
    const hosts = spec.hostnames ?? [];
    return places.map((place) => {
      const made = rule(place);
      const known = made?.matches ?? list(match, 64)(place.silent().key('matches') ?? place.silent()) ?? [];
      const all = known.length === 0 ? [everything] : known;
      const matches = all.map((each) => ({ hosts, ...each }));
      const routes = made && matches.map((each) => ({ match: each, document: made.document }));
      return { place, matches: made === undefined && known.length === 0 ? [] : matches, routes };
    });
  };
}
