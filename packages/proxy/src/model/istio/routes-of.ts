import { routeOf } from '../complete-route.ts';
import type { Place } from '../document.ts';
import type { ResourceRoute } from '../gateway-api/routes-of.ts';
import { ruledHosts } from './destination-rule.ts';
import { istioGateway, istioKindOf, type IstioWorld } from './istio-world.ts';
import { titleOf } from './values.ts';
import { virtualRules } from './virtual-service.ts';

/**
 * Reads a resource of Istio: a VirtualService as routes, a Gateway and a DestinationRule as what these refer to. What the
 * resource says and this gateway does not do is a problem, never passed over.
 */
export function istioRoutes(at: Place, world: IstioWorld): ResourceRoute[] | undefined {
  const kind = istioKindOf(at);
  if (kind === 'DestinationRule') return ruledHosts(at) && [];
  if (kind === 'Gateway') return istioGateway(at) && [];
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
