import { create } from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import type {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from '../gen/envoy/service/discovery/v3/discovery_pb.ts';
import type { AdsPush } from './ads/ads-stream.ts';
import { typeUrls, type XdsResource, type XdsType } from './ads/resource.ts';
import type { Init } from './translate/message.ts';

/** A push as the state of the world has it. */
export function sotwResponse({
  type,
  nonce,
  version,
  resources,
}: AdsPush): Init<typeof DiscoveryResponseSchema> {
  return {
    typeUrl: typeUrls[type],
    versionInfo: version,
    nonce,
    resources: resources.map((each) => anyOf(type, each)),
  };
}

/** A push as the other protocol has it. */
export function deltaResponse(push: AdsPush): Init<typeof DeltaDiscoveryResponseSchema> {
  const { type, nonce, version, resources, removed } = push;
  return {
    typeUrl: typeUrls[type],
    systemVersionInfo: version,
    nonce,
    resources: resources.map((each) => ({
      name: each.name,
      version: each.version,
      resource: anyOf(type, each),
    })),
    removedResources: [...removed],
  };
}

const made = new WeakMap<XdsResource, Any>();

/** Made once for all proxies that get it. */
function anyOf(type: XdsType, resource: XdsResource): Any {
  const known = made.get(resource) ?? create(AnySchema, { typeUrl: typeUrls[type], value: resource.bytes });
  made.set(resource, known);
  return known;
}
