import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type Any, AnySchema, type Duration, DurationSchema } from '@bufbuild/protobuf/wkt';
import {
  type FractionalPercent,
  FractionalPercent_DenominatorType as Denominator,
  FractionalPercentSchema,
} from '../../gen/envoy/type/v3/percent_pb.ts';
import type { XdsResource } from '../ads/resource.ts';

/** What a message of that kind is made from. */
export type Init<Desc extends DescMessage> = Exclude<MessageInitShape<Desc>, { readonly $typeName: string }>;

/** A message within an `Any`. */
export function any<Desc extends DescMessage>(schema: Desc, init?: MessageInitShape<Desc>): Any {
  const value = toBinary(schema, create(schema, init));
  return create(AnySchema, { typeUrl: `type.googleapis.com/${schema.typeName}`, value });
}

/** A named extension of Envoy, by its message. */
export function extension<Desc extends DescMessage>(
  name: string,
  schema: Desc,
  init?: MessageInitShape<Desc>,
): { name: string; configType: { case: 'typedConfig'; value: Any } } {
  return { name, configType: { case: 'typedConfig', value: any(schema, init) } };
}

/** A resource as it is sent; its version is made from its bytes, so that the same content has the same version. */
export function resource<Desc extends DescMessage>(
  name: string,
  schema: Desc,
  init: MessageInitShape<Desc>,
  needs?: string,
): XdsResource {
  const bytes = toBinary(schema, create(schema, init));
  return { name, version: digest(bytes), bytes, ...(needs !== undefined && { needs }) };
}

/** As a message. */
export function duration(ms: number): Duration {
  const seconds = Math.floor(ms / 1000);
  return create(DurationSchema, { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) });
}

/** Percent with four decimals, which is what Envoy can draw. */
export function fraction(percent: number): FractionalPercent {
  return create(FractionalPercentSchema, {
    numerator: Math.round(percent * 10_000),
    denominator: Denominator.MILLION,
  });
}

/** Two of FNV-1a's 32 bits, from either end: enough to tell versions apart, and nobody's proof of anything. */
function digest(bytes: Uint8Array): string {
  let forward = 0x811c9dc5;
  let backward = 0x811c9dc5;
  for (let at = 0; at < bytes.length; at++) {
    forward = Math.imul(forward ^ (bytes[at] ?? 0), 0x01000193);
    backward = Math.imul(backward ^ (bytes[bytes.length - 1 - at] ?? 0), 0x01000193);
  }
  return [forward, backward].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
