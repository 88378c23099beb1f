/** The kinds of resources, in the order in which they are pushed: what is referred to goes before what refers to it. */
export const xdsTypes = ['cluster', 'endpoints', 'secret', 'listener', 'route'] as const;
/** One of `xdsTypes`. */
export type XdsType = (typeof xdsTypes)[number];

/** Their names on the wire. */
export const typeUrls: Readonly<Record<XdsType, string>> = {
  cluster: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  endpoints: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
  secret: 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
  listener: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  route: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
};

const byUrl = new Map(xdsTypes.map((type) => [typeUrls[type], type]));

/** Undefined: a type that is not served here. */
export function typeOfUrl(url: string): XdsType | undefined {
  return byUrl.get(url);
}

/** A resource, encoded. A value: what changes is another object with another version. */
export interface XdsResource {
  readonly name: string;
  /** The same for the same bytes. */
  readonly version: string;
  readonly bytes: Uint8Array;
  /** The assignment without which a cluster does not begin to work. */
  readonly needs?: string;
}

/** Resources by name. What has not changed between two is the same object, and a map without changes is the same map. */
export type Resources = ReadonlyMap<string, XdsResource>;

/** All that one group of proxies is to have. */
export interface Snapshot extends Readonly<Record<XdsType, Resources>> {
  /** Of the rules it is made from, for people. */
  readonly version: string;
}

/** Nothing of that type. */
export const noResources: Resources = new Map();

/** Types of which a proxy may want all without naming them, and whose answers name all there are. */
export function isWhole(type: XdsType): boolean {
  return type === 'cluster' || type === 'listener';
}
