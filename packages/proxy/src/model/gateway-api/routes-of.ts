import { object, type Place, type Read, record, text } from '../document.ts';
import { routeOf } from '../complete-route.ts';
import type { RouteConfig, RouteMatch } from '../route.ts';
import { grpcRules } from './grpc-route.ts';
import { httpRules } from './http-route.ts';
import type { RuleReading } from './rules.ts';

/** One route that a resource means; its parts are undefined where they cannot be read. */
export interface ResourceRoute {
  /** The rule that it is of: a mistake in that concerns all of them. */
  readonly at: string;
  readonly place: Place;
  readonly match: RouteMatch | undefined;
  readonly route: RouteConfig | undefined;
}

interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: unknown; annotations?: unknown };
  spec: readonly RuleReading[];
}

const group = 'gateway.networking.k8s.io/v1';
const name: Read<string> = text('a name of Kubernetes', (value) =>
  /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(value),
);
const texts = record('a key', () => true, text('a text'));

/** True for a document that says which kind of resource it is. */
export function isResource(content: string): boolean {
  return /^\s*"?apiVersion"?\s*:/m.test(content);
}

/**
 * Reads an HTTPRoute or GRPCRoute of the Kubernetes Gateway API. A file that is given to this gateway is for it, so
 * `parentRefs` are not compared. What the API knows and this gateway does not do is a problem, never passed over.
 */
export function resourceRoutes(at: Place): ResourceRoute[] | undefined {
  const kind = at.key('kind')?.plain;
  const named = at.key('metadata');
  const said = (key: string): string => {
    const value = named?.key(key)?.plain;
    return typeof value === 'string' ? value : 'default';
  };
  const title = `${typeof kind === 'string' ? kind : 'resource'} ${said('namespace')}/${said('name')}`;
  const rules = kind === 'GRPCRoute' ? grpcRules : httpRules;
  const resource = object<Resource>(
    {
      apiVersion: text(group, (value) => value === group),
      kind: text('HTTPRoute or GRPCRoute', (value) => value === 'HTTPRoute' || value === 'GRPCRoute'),
      metadata: object({ name, namespace: name, labels: texts, annotations: texts }, ['name']),
      spec: (spec) => rules(spec, title),
    },
    ['apiVersion', 'kind', 'metadata', 'spec'],
  )(at);
  return resource?.spec.flatMap(({ place, routes, matches }) => {
    const base = { at: place.path, place };
    if (routes === undefined) return matches.map((match) => ({ ...base, match, route: undefined }));
    return routes.map(({ match, document }, index) => {
      const suffix = routes.length === 1 ? '' : ` match ${index}`;
      return {
        ...base,
        match,
        route: routeOf(place, { name: `${place.path}${suffix}`, ...document }, match),
      };
    });
  });
}
