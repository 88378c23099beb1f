import type { Workload, ServiceListener } from '../../model/listener.ts';
import type { RuleMatch } from '../../model/match.ts';
import type { RouteRule } from '../../model/rule.ts';

/** Who asks: what rules about callers are decided by. */
export type Caller = Pick<Workload, 'namespace' | 'labels'>;

/** The services that a caller sees, each with the rules that are for it. One that no rule sets apart is the same object. */
export function servicesFor(
  services: readonly ServiceListener[],
  caller: Caller,
): readonly ServiceListener[] {
  return services
    .filter(({ visibleIn }) => visibleIn.length === 0 || visibleIn.includes(caller.namespace))
    .map((service) => {
      if (!isByCaller(service)) return service;
      return { ...service, rules: service.rules.flatMap((rule) => ruleFor(rule, caller)) };
    });
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
