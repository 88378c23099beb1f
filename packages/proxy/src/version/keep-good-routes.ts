import { type GatewayConfig, matchKey } from '../model/gateway-config.ts';
import type { RouteConfig } from '../model/route.ts';

/**
 * The configuration, with routes that have mistakes now and were good before going on as they were: nobody loses a
 * route over a slip of the pen. They are known by what they match; one that is new, or for other requests than before,
 * has nothing to go on as.
 */
export function keepGoodRoutes(config: GatewayConfig, before: GatewayConfig | undefined): GatewayConfig {
  if (config.quarantined.length === 0 || before === undefined) return config;
  const good = new Map(before.routes.map((route) => [matchKey(route.match), route]));
  const kept: RouteConfig[] = [];
  const quarantined = config.quarantined.map((each) => {
    const route = each.match === undefined ? undefined : good.get(matchKey(each.match));
    if (route === undefined) return each;
    kept.push(route);
    return { ...each, kept: true };
  });
  return { ...config, routes: [...config.routes, ...kept], quarantined };
}
