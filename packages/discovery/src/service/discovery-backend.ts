/** The registries a service may be found in. What each of them can do, says docs/discovery.md. */
export const discoveryBackends = [
  'embedded',
  'consul',
  'etcd',
  'zookeeper',
  'kubernetes',
  'eureka',
  'nacos',
  'dns',
  'xds',
] as const;
/** One of `discoveryBackends`. */
export type DiscoveryBackend = (typeof discoveryBackends)[number];
