/** Which promise is kept: that generated code goes on compiling, that JSON goes on being read, or that bytes do. */
export type ProtoCategory = 'PACKAGE' | 'WIRE_JSON' | 'WIRE';

const all: readonly ProtoCategory[] = ['PACKAGE', 'WIRE_JSON', 'WIRE'];
const json: readonly ProtoCategory[] = ['PACKAGE', 'WIRE_JSON'];
const code: readonly ProtoCategory[] = ['PACKAGE'];

/** The rules that are checked, named as buf names them. */
export type ProtoRule =
  | 'PACKAGE_SERVICE_NO_DELETE'
  | 'PACKAGE_MESSAGE_NO_DELETE'
  | 'PACKAGE_ENUM_NO_DELETE'
  | 'RPC_NO_DELETE'
  | 'RPC_SAME_REQUEST_TYPE'
  | 'RPC_SAME_RESPONSE_TYPE'
  | 'RPC_SAME_CLIENT_STREAMING'
  | 'RPC_SAME_SERVER_STREAMING'
  | 'RPC_SAME_IDEMPOTENCY_LEVEL'
  | 'FIELD_NO_DELETE'
  | 'FIELD_NO_DELETE_UNLESS_NAME_RESERVED'
  | 'FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED'
  | 'FIELD_SAME_NAME'
  | 'FIELD_SAME_JSON_NAME'
  | 'FIELD_SAME_TYPE'
  | 'FIELD_WIRE_JSON_COMPATIBLE_TYPE'
  | 'FIELD_WIRE_COMPATIBLE_TYPE'
  | 'FIELD_SAME_CARDINALITY'
  | 'FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY'
  | 'FIELD_WIRE_COMPATIBLE_CARDINALITY'
  | 'FIELD_SAME_ONEOF'
  | 'ONEOF_NO_DELETE'
  | 'RESERVED_MESSAGE_NO_DELETE'
  | 'ENUM_VALUE_NO_DELETE'
  | 'ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED'
  | 'ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED'
  | 'ENUM_VALUE_SAME_NAME'
  | 'RESERVED_ENUM_NO_DELETE';

/** The categories that have each rule (buf 1.x, version 2). */
const protoRules: Readonly<Record<ProtoRule, readonly ProtoCategory[]>> = {
  PACKAGE_SERVICE_NO_DELETE: code,
  PACKAGE_MESSAGE_NO_DELETE: code,
  PACKAGE_ENUM_NO_DELETE: code,
  RPC_NO_DELETE: code,
  RPC_SAME_REQUEST_TYPE: all,
  RPC_SAME_RESPONSE_TYPE: all,
  RPC_SAME_CLIENT_STREAMING: all,
  RPC_SAME_SERVER_STREAMING: all,
  RPC_SAME_IDEMPOTENCY_LEVEL: all,
  FIELD_NO_DELETE: code,
  FIELD_NO_DELETE_UNLESS_NAME_RESERVED: ['WIRE_JSON'],
  FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED: ['WIRE_JSON', 'WIRE'],
  FIELD_SAME_NAME: json,
  FIELD_SAME_JSON_NAME: json,
  FIELD_SAME_TYPE: code,
  FIELD_WIRE_JSON_COMPATIBLE_TYPE: ['WIRE_JSON'],
  FIELD_WIRE_COMPATIBLE_TYPE: ['WIRE'],
  FIELD_SAME_CARDINALITY: code,
  FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY: ['WIRE_JSON'],
  FIELD_WIRE_COMPATIBLE_CARDINALITY: ['WIRE'],
  FIELD_SAME_ONEOF: all,
  ONEOF_NO_DELETE: code,
  RESERVED_MESSAGE_NO_DELETE: all,
  ENUM_VALUE_NO_DELETE: code,
  ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED: ['WIRE_JSON'],
  ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED: ['WIRE_JSON', 'WIRE'],
  ENUM_VALUE_SAME_NAME: json,
  RESERVED_ENUM_NO_DELETE: all,
};

/** Whether a rule is one of a category. */
export function isRuleOf(rule: ProtoRule, category: ProtoCategory): boolean {
  return protoRules[rule].includes(category);
}

/** All rules. */
export const protoRuleNames: readonly ProtoRule[] = Object.keys(protoRules) as ProtoRule[];
