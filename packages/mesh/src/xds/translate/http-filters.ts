import type { HttpFilterSchema } from '../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts';
import { CorsSchema } from '../../gen/envoy/extensions/filters/http/cors/v3/cors_pb.ts';
import { HTTPFaultSchema } from '../../gen/envoy/extensions/filters/http/fault/v3/fault_pb.ts';
import { RBACSchema } from '../../gen/envoy/extensions/filters/http/rbac/v3/rbac_pb.ts';
import { RouterSchema } from '../../gen/envoy/extensions/filters/http/router/v3/router_pb.ts';
import type { Workload } from '../../model/listener.ts';
import { jwtFilterConfig } from './jwt.ts';
import { any, extension, type Init } from './message.ts';
import type { Report } from './plane.ts';
import { rbacRules } from './rbac.ts';
import { jwtFilter } from './rbac-source.ts';
import { filterNames } from './route.ts';

type HttpFilter = Init<typeof HttpFilterSchema>;

/** Always last. */
export const routerFilter: HttpFilter = extension('envoy.filters.http.router', RouterSchema);
/** Does what a route tells it, and nothing otherwise. */
export const faultFilter: HttpFilter = extension(filterNames.fault, HTTPFaultSchema);
/** As `faultFilter`. */
export const corsFilter: HttpFilter = extension(filterNames.cors, CorsSchema);

/** What stands before a workload: first who it is, then who may not, then who may, then who is told about. */
export function authorizationFilters(
  { policies, jwt }: Pick<Workload, 'policies' | 'jwt'>,
  report: Report,
): HttpFilter[] {
  for (const { name, provider } of policies.filter(({ action }) => action === 'custom'))
    report({
      plane: 'envoy',
      origin: `AuthorizationPolicy ${name}`,
      what: `CUSTOM by provider ${provider ?? ''}`,
      instead: 'nobody is asked: the provider is not known to xDS',
    });
  for (const { issuer, jwks, jwksUri = '' } of jwt) {
    if (jwks === undefined)
      report({
        plane: 'envoy',
        origin: `RequestAuthentication of issuer ${issuer}`,
        what: `keys at ${jwksUri}`,
        instead: 'they could not be fetched yet: no token of the issuer is believed',
      });
  }
  return [
    ...(jwt.length === 0
      ? []
      : [
          {
            name: jwtFilter,
            configType: { case: 'typedConfig', value: jwtFilterConfig(jwt) },
          } satisfies HttpFilter,
        ]),
    ...(['deny', 'allow', 'audit'] as const).flatMap((action) => {
      const { rules, shadow } = rbacRules(policies, action, { isHttp: true, report });
      if (rules === undefined && shadow === undefined) return [];
      const value = any(RBACSchema, {
        ...(rules !== undefined && { rules }),
        ...(shadow !== undefined && { shadowRules: shadow, shadowRulesStatPrefix: 'dry_run_' }),
      });
      return [
        {
          name: `envoy.filters.http.rbac.${action}`,
          configType: { case: 'typedConfig', value },
        } satisfies HttpFilter,
      ];
    }),
  ];
}
