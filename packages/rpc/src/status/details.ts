import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { ErrorDetail, HeddleError } from '@heddle/kernel';

/** A protobuf message as a detail of a `HeddleError`, fit to travel: `type` is its full name, `value` its bytes. */
export function detail<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): ErrorDetail {
  return { type: schema.typeName, value: toBinary(schema, create(schema, init)) };
}

/** The details of this type, in order; those that cannot be read are left out. */
export function findDetails<Desc extends DescMessage>(
  error: HeddleError,
  schema: Desc,
): MessageShape<Desc>[] {
  return error.details.flatMap((each) => {
    if (each.type !== schema.typeName || !(each.value instanceof Uint8Array)) return [];
    try {
      return [fromBinary(schema, each.value)];
    } catch {
      return [];
    }
  });
}
