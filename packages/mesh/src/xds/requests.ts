import type {
  DeltaDiscoveryRequest,
  DiscoveryRequest,
} from '../gen/envoy/service/discovery/v3/discovery_pb.ts';
import type { AdsRequest } from './ads/ads-state.ts';
import { typeOfUrl } from './ads/resource.ts';

/** A request of the state of the world; undefined for a type that is not served. */
export function sotwRequest(request: DiscoveryRequest): AdsRequest | undefined {
  const type = typeOfUrl(request.typeUrl);
  if (type === undefined) return undefined;
  return {
    type,
    nonce: request.responseNonce,
    error: request.errorDetail?.message,
    names: request.resourceNames,
    subscribe: [],
    unsubscribe: [],
    initial: new Map(),
  };
}

/** A request of the other protocol. */
export function deltaRequest(request: DeltaDiscoveryRequest): AdsRequest | undefined {
  const type = typeOfUrl(request.typeUrl);
  if (type === undefined) return undefined;
  return {
    type,
    nonce: request.responseNonce,
    error: request.errorDetail?.message,
    names: [],
    subscribe: request.resourceNamesSubscribe,
    unsubscribe: request.resourceNamesUnsubscribe,
    initial: new Map(Object.entries(request.initialResourceVersions)),
  };
}
