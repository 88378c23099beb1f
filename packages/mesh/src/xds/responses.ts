import { create, type Message, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
  ResourceSchema,
} from '../gen/envoy/service/discovery/v3/discovery_pb.ts';
import type { AdsPush } from './ads/ads-stream.ts';
import { typeUrls, type XdsResource, type XdsType } from './ads/resource.ts';

/** A push as the state of the world has it. */
export function sotwResponse({
  type,
  nonce,
  version,
  resources,
}: AdsPush): MessageShape<typeof DiscoveryResponseSchema> {
  const response = create(DiscoveryResponseSchema, { typeUrl: typeUrls[type], versionInfo: version, nonce });
  return withResources(
    response,
    resources.map((each) => once(wholes, each, () => fieldOf(toBinary(AnySchema, anyOf(type, each))))),
  );
}

/** A push as the other protocol has it. */
export function deltaResponse(push: AdsPush): MessageShape<typeof DeltaDiscoveryResponseSchema> {
  const { type, nonce, version, resources, removed } = push;
  const response = create(DeltaDiscoveryResponseSchema, {
    typeUrl: typeUrls[type],
    systemVersionInfo: version,
    nonce,
    removedResources: [...removed],
  });
  return withResources(
    response,
    resources.map((each) => once(deltas, each, () => fieldOf(deltaBytes(type, each)))),
  );
}

/** `resources` of either response, as protobuf has it on the wire. */
const resourcesField = 2;

type Field = { readonly no: number; readonly wireType: WireType; readonly data: Uint8Array };

const wholes = new WeakMap<XdsResource, Field>();
const deltas = new WeakMap<XdsResource, Field>();

/** Each resource is encoded once, for all proxies that get it: what is left to do for each of them is a copy of bytes. */
function once(known: WeakMap<XdsResource, Field>, resource: XdsResource, make: () => Field): Field {
  const found = known.get(resource) ?? make();
  known.set(resource, found);
  return found;
}

/** As a field that is encoded already, which is what protobuf-es takes fields for that it does not know. */
function withResources<T extends Message>(response: T, fields: readonly Field[]): T {
  response.$unknown = [...fields];
  return response;
}

function fieldOf(bytes: Uint8Array): Field {
  const data = new BinaryWriter().bytes(bytes).finish();
  return { no: resourcesField, wireType: WireType.LengthDelimited, data };
}

function deltaBytes(type: XdsType, resource: XdsResource): Uint8Array {
  const { name, version } = resource;
  return toBinary(ResourceSchema, create(ResourceSchema, { name, version, resource: anyOf(type, resource) }));
}

function anyOf(type: XdsType, { bytes }: XdsResource): MessageShape<typeof AnySchema> {
  return create(AnySchema, { typeUrl: typeUrls[type], value: bytes });
}
