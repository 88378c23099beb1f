export { AggregatedDiscoveryService } from '../gen/envoy/service/discovery/v3/ads_pb.ts';
export type { AdsRules } from './ads/ads-state.ts';
export type { Refused } from './ads/quarantine.ts';
export { type Resources, type XdsResource, type XdsType } from './ads/resource.ts';
export { serverListenerTemplate } from './translate/grpc-listener.ts';
export type { Inexpressible, Plane } from './translate/plane.ts';
export { certificateProvider, certificateSecret, rootsSecret, secretNames } from './translate/tls.ts';
export type { ProxyView } from './views.ts';
export { type AdsHandlers, XdsServer, type XdsServerOptions } from './xds-server.ts';
