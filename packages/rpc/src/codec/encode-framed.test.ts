import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  create,
  createFileRegistry,
  type DescMessage,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
  StructSchema,
} from '@bufbuild/protobuf/wkt';
import { frame } from '@heddle/wire';
import fc from 'fast-check';
import { StatusSchema } from '../gen/google/rpc/status_pb.ts';
import { encoderOf } from './encoder.ts';
import { encodeFramed } from './encode-framed.ts';

type Values = Readonly<Record<string, fc.Arbitrary<unknown>>>;

const int32 = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 127, 128, 2 ** 31 - 1, -(2 ** 31)));
const uint32 = fc.oneof(fc.nat(), fc.constantFrom(0, 127, 128, 2 ** 32 - 1));
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, -1n, 127n, 2n ** 35n),
);
const uint64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n),
);

const scalars: readonly (readonly [keyof typeof Type, fc.Arbitrary<unknown>])[] = [
  ['DOUBLE', fc.double()],
  ['FLOAT', fc.float()],
  ['INT64', int64],
  ['UINT64', uint64],
  ['INT32', int32],
  ['FIXED64', uint64],
  ['FIXED32', uint32],
  ['BOOL', fc.boolean()],
  ['STRING', fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.constant('é'.repeat(100)))],
  ['BYTES', fc.uint8Array({ maxLength: 300 })],
  ['UINT32', uint32],
  ['SFIXED32', int32],
  ['SFIXED64', int64],
  ['SINT32', int32],
  ['SINT64', int64],
];

/** One message type with every kind of field that is written the quick way, and itself within. */
function everything(): { readonly schema: DescMessage; readonly values: Values } {
  const field: object[] = [];
  const values: Record<string, fc.Arbitrary<unknown>> = {};
  const add = (name: string, type: Type, more: object, value: fc.Arbitrary<unknown>): void => {
    // Numbers that make tags of one, two and three bytes, not in the order in which they are written.
    field.push({
      name,
      jsonName: name,
      number: 3000 - 29 * field.length,
      type,
      label: Label.OPTIONAL,
      ...more,
    });
    values[name] = value;
  };
  for (const [type, value] of scalars) {
    const name = type.toLowerCase();
    const many = fc.array(value, { maxLength: 5 });
    add(name, Type[type], {}, value);
    add(
      `maybe${name}`,
      Type[type],
      { proto3Optional: true, oneofIndex: scalars.findIndex(([t]) => t === type) + 1 },
      fc.option(value, { nil: undefined }),
    );
    add(`many${name}`, Type[type], { label: Label.REPEATED }, many);
    if (type !== 'STRING' && type !== 'BYTES')
      add(`apart${name}`, Type[type], { label: Label.REPEATED, options: { packed: false } }, many);
  }
  add('color', Type.ENUM, { typeName: '.quick.Color' }, fc.constantFrom(0, 1, -7));
  add(
    'colors',
    Type.ENUM,
    { typeName: '.quick.Color', label: Label.REPEATED },
    fc.array(fc.constantFrom(0, 1, -7)),
  );
  field.push({
    name: 'left',
    jsonName: 'left',
    number: 1,
    type: Type.STRING,
    label: Label.OPTIONAL,
    oneofIndex: 0,
  });
  field.push({
    name: 'right',
    jsonName: 'right',
    number: 2,
    type: Type.MESSAGE,
    typeName: '.quick.All',
    label: Label.OPTIONAL,
    oneofIndex: 0,
  });
  field.push({
    name: 'inner',
    jsonName: 'inner',
    number: 3,
    type: Type.MESSAGE,
    typeName: '.quick.All',
    label: Label.OPTIONAL,
  });
  field.push({
    name: 'inners',
    jsonName: 'inners',
    number: 4,
    type: Type.MESSAGE,
    typeName: '.quick.All',
    label: Label.REPEATED,
  });
  return { schema: messageOf(field), values };
}

function messageOf(field: object[]): DescMessage {
  const oneofDecl = [{ name: 'side' }, ...scalars.map(([type]) => ({ name: `_maybe${type.toLowerCase()}` }))];
  const file = create(FileDescriptorProtoSchema, {
    name: 'quick.proto',
    package: 'quick',
    syntax: 'proto3',
    messageType: [{ name: 'All', field, oneofDecl }],
    enumType: [
      {
        name: 'Color',
        value: [
          { name: 'NONE', number: 0 },
          { name: 'RED', number: 1 },
          { name: 'ODD', number: -7 },
        ],
      },
    ],
  });
  return createFileRegistry(file, () => undefined).getMessage('quick.All') ?? assert.fail();
}

const { schema, values } = everything();

/** Some of the fields, and messages within messages. */
const messages: fc.Arbitrary<object> = fc.letrec<{ all: object }>((tie) => ({
  all: fc
    .record(
      {
        ...values,
        inner: fc.option(tie('all'), { nil: undefined, depthSize: 'small' }),
        inners: fc.array(tie('all'), { maxLength: 2 }),
        side: fc.oneof(
          { depthSize: 'small' },
          fc.constant({ case: undefined }),
          fc.string().map((value) => ({ case: 'left', value })),
          tie('all').map((value) => ({ case: 'right', value })),
        ),
      },
      { requiredKeys: [] },
    )
    .map((init) => init as object),
})).all;

const long = <Desc extends DescMessage>(of: Desc, init: MessageInitShape<Desc>): Uint8Array =>
  frame(toBinary(of, create(of, init)));

test('property: the same bytes as protobuf-es, framed', () => {
  assert.notEqual(encoderOf(schema), undefined);
  fc.assert(
    fc.property(messages, (init) => {
      const framed = encodeFramed(schema, init as never);
      // The long way has memory of its own for each.
      assert.ok(Buffer.isBuffer(framed), 'the quick way');
      assert.deepEqual(new Uint8Array(framed), long(schema, init as never));
    }),
    { numRuns: 100 },
  );
});

test('what the quick way does not know goes the long way, with its bytes and its errors', () => {
  assert.equal(encoderOf(StructSchema), undefined);
  const details = [{ typeUrl: 'a', value: new Uint8Array(3) }];
  const status = { code: 5, message: 'x', details };
  assert.deepEqual(new Uint8Array(encodeFramed(StatusSchema, status)), long(StatusSchema, status));
  // A number where a 64-bit field has a bigint is taken, a fraction is not.
  assert.deepEqual(new Uint8Array(encodeFramed(schema, { int64: 7 })), long(schema, { int64: 7 }));
  assert.throws(() => encodeFramed(schema, { int32: 1.5 }), /cannot encode field quick.All.int32/);
  // Nothing of a message that failed half-way is left behind.
  assert.deepEqual(new Uint8Array(encodeFramed(schema, { bool: true })), long(schema, { bool: true }));
});

test('fields that this version does not know are written again', () => {
  const known = create(schema, { int32: 3 });
  known.$unknown = [{ no: 9999, wireType: 0, data: new Uint8Array([5]) }];
  assert.deepEqual(new Uint8Array(encodeFramed(schema, known)), frame(toBinary(schema, known)));
});
