import type { Cluster } from '../../model/cluster.ts';
import type { EgressScope, ServiceListener, Workload } from '../../model/listener.ts';
import type { RuleMatch } from '../../model/match.ts';
import type { RouteRule } from '../../model/rule.ts';

/** Who asks: what rules about callers are decided by. */
export type Caller = Pick<Workload, 'namespace' | 'labels' | 'egress'>;

/** The services that a caller sees, each with the rules that are for it. One that no rule sets apart is the same object. */
export function servicesFor(
  services: readonly ServiceListener[],
  caller: Caller,
): readonly ServiceListener[] {
  return services
    .filter(({ visibleIn }) => visibleIn.length === 0 || visibleIn.includes(caller.namespace))
    .filter((service) => caller.egress?.some((scope) => covers(scope, service)) ?? true)
    .map((service) => {
      if (!isByCaller(service)) return service;
      return { ...service, rules: service.rules.flatMap((rule) => ruleFor(rule, caller)) };
    });
}

function covers({ namespace, host }: EgressScope, service: ServiceListener): boolean {
  if (namespace !== '*' && namespace !== service.namespace) return false;
  if (host === '*' || host === service.host) return true;
  return host.startsWith('*.') && service.host.endsWith(host.slice(1));
}

/** The clusters that calls of these services may go to, by name: their own, and those that their rules name. */
export function clustersFor(
  services: readonly ServiceListener[],
  clusters: ReadonlyMap<string, Cluster>,
): ReadonlySet<string> {
  const hosts = new Set(services.map(({ host }) => host));
  const named = services.flatMap(({ rules }) =>
    rules.flatMap(({ action, mirrors = [] }) => [
      ...(action.kind === 'forward' ? action.shares.map(({ cluster }) => cluster) : []),
      ...mirrors.map(({ cluster }) => cluster),
    ]),
  );
  const own = [...clusters.values()].filter(({ host }) => hosts.has(host)).map(({ name }) => name);
  return new Set([...own, ...named]);
}

/** Whether a rule of it is only for some callers. */
export function isByCaller({ rules }: ServiceListener): boolean {
  return rules.some(({ matches }) => matches.some(({ source }) => source !== undefined));
}

function ruleFor(rule: RouteRule, caller: Caller): RouteRule[] {
  if (rule.matches.length === 0) return [rule];
  const matches = rule.matches.filter((match) => isFor(match, caller));
  return matches.length === 0 ? [] : [{ ...rule, matches }];
}

function isFor({ source }: RuleMatch, { namespace, labels }: Caller): boolean {
  if (source === undefined) return true;
  if (source.namespace !== '' && source.namespace !== namespace) return false;
  return Object.entries(source.labels).every(([name, value]) => labels[name] === value);
}
