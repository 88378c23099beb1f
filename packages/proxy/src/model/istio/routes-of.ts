import { routeOf } from '../complete-route.ts';
import type { Place } from '../document.ts';
import type { RouteMatch } from '../route.ts';
import type { RouteDocument } from '../route-schema.ts';
import type { ResourceRoute } from '../gateway-api/routes-of.ts';
import { ruledHosts } from './destination-rule.ts';
import { istioKindOf, type IstioWorld } from './istio-world.ts';
import { titleOf } from './values.ts';
import { virtualRules } from './virtual-service.ts';

/**
 * Reads a resource of Istio: a VirtualService as routes, a Gateway and a DestinationRule as what these refer to. What the
 * resource says and this gateway does not do is a problem, never passed over.
 */
export function istioRoutes(at: Place, world: IstioWorld): ResourceRoute[] | undefined {
  const kind = istioKindOf(at);
  if (kind === 'DestinationRule') return ruledHosts(at) && [];
  if (kind === 'Gateway') return gatewayRoutes(at, world);
  if (kind !== 'VirtualService')
    return (at.key('kind') ?? at).problem(
      `expected VirtualService, Gateway or DestinationRule, found ${String(kind)}`,
    );
  return virtualRules(at, titleOf(at), world)?.flatMap(({ place, matches, document }) => {
    const base = { at: place.path, place };
    return matches.map((match, index) => {
      if (document === undefined) return { ...base, match, route: undefined };
      const suffix = matches.length === 1 ? '' : ` match ${index}`;
      return {
        ...base,
        match,
        route: routeOf(place, { name: `${place.path}${suffix}`, ...document }, match),
      };
    });
  });
}

/** A Gateway has routes of its own where it sends what comes without TLS elsewhere. */
function gatewayRoutes(at: Place, world: IstioWorld): ResourceRoute[] | undefined {
  return world.checkedGateway(at)?.servers.flatMap(({ name, place, hosts, role }) => {
    if (role.kind !== 'redirect') return [];
    const match: RouteMatch = {
      hosts: hosts.includes('*') ? [] : hosts,
      path: { kind: 'prefix', value: '/' },
      methods: [],
      headers: [],
      query: [],
    };
    const document: RouteDocument = { name, redirect: { scheme: 'https', status: 301 } };
    return [{ at: place.path, place, match, route: routeOf(place, document, match) }];
  });
}
