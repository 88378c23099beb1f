import type { GatewayConfig, RouteConfig } from '@heddle/proxy';
import type { ManagedKey } from '../settings/gateway-settings.ts';

/** The role by which a quota finds its key. No proof can bring it along: roles of keys come from here alone. */
function quotaRole(id: string): string {
  return `heddle-quota:${id}`;
}

/**
 * The configuration with the keys that are managed in the config centre, and their quotas on every route that takes API
 * keys. A quota counts over all routes. Keys of the file stay; of two with one hash the managed one holds.
 */
export function withManagedKeys(config: GatewayConfig, keys: readonly ManagedKey[]): GatewayConfig {
  if (keys.length === 0) return config;
  const managed = keys.map(({ id, sha256, roles, scopes, expires, quota }) => ({
    id,
    sha256,
    roles: [...roles, ...(quota === undefined ? [] : [quotaRole(id)])],
    scopes: [...scopes],
    ...(expires !== undefined && { expires }),
  }));
  const { apiKeys } = config.auth;
  const all = { ...apiKeys, keys: [...(apiKeys?.keys ?? []), ...managed] };
  return { ...config, auth: { ...config.auth, apiKeys: all }, routes: config.routes.map(limitedBy(keys)) };
}

function limitedBy(keys: readonly ManagedKey[]): (route: RouteConfig) => RouteConfig {
  const tiers = keys.flatMap(({ id, quota }) =>
    quota === undefined ? [] : [[quotaRole(id), { algorithm: 'fixed_window' as const, ...quota }] as const],
  );
  const [first] = tiers;
  if (first === undefined) return (route) => route;
  const quota: RouteConfig['limits'][number] = {
    name: 'quota',
    key: ['user'],
    rule: first[1],
    tiers,
    shared: true,
    onlyTiers: true,
  };
  return (route) => {
    const methods = [...(route.auth?.any ?? []), ...(route.auth?.all ?? [])];
    return methods.includes('apiKey') ? { ...route, limits: [...route.limits, quota] } : route;
  };
}
