import {
  HttpConnectionManager_ForwardClientCertDetails as ClientCertDetails,
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
  HttpConnectionManagerSchema,
} from '../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts';
import type { FilterSchema } from '../../gen/envoy/config/listener/v3/listener_components_pb.ts';
import type { RouteConfigurationSchema } from '../../gen/envoy/config/route/v3/route_pb.ts';
import { extension, type Init } from './message.ts';
import { overAds } from './tls.ts';

type Manager = Init<typeof HttpConnectionManagerSchema>;

/** Routes that are sent by themselves. */
export function routesByName(name: string): Manager {
  return { routeSpecifier: { case: 'rds', value: { configSource: overAds, routeConfigName: name } } };
}

/** Routes that are part of the listener. */
export function ownRoutes(routes: Init<typeof RouteConfigurationSchema>): Manager {
  return { routeSpecifier: { case: 'routeConfig', value: routes } };
}

/** HTTP on the way out. */
export function outboundManager(
  statPrefix: string,
  routes: Manager,
  httpFilters: NonNullable<Manager['httpFilters']>,
): Init<typeof FilterSchema> {
  return extension(managerName, HttpConnectionManagerSchema, {
    statPrefix,
    ...routes,
    httpFilters,
    upgradeConfigs: [{ upgradeType: 'websocket' }],
  });
}

/**
 * HTTP on the way in. The path is brought into one spelling before a policy looks at it, and what a stranger claims
 * about certificates is thrown away.
 */
export function inboundManager(
  statPrefix: string,
  routes: Manager,
  httpFilters: NonNullable<Manager['httpFilters']>,
): Init<typeof FilterSchema> {
  return extension(managerName, HttpConnectionManagerSchema, {
    statPrefix,
    ...routes,
    httpFilters,
    forwardClientCertDetails: ClientCertDetails.SANITIZE_SET,
    setCurrentClientCertDetails: { subject: true, uri: true },
    useRemoteAddress: false,
    normalizePath: true,
    mergeSlashes: true,
    pathWithEscapedSlashesAction: EscapedSlashes.KEEP_UNCHANGED,
    upgradeConfigs: [{ upgradeType: 'websocket' }],
  });
}

const managerName = 'envoy.filters.network.http_connection_manager';
