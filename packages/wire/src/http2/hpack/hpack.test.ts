import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HpackDecoder, HpackError } from './decoder.ts';
import { DynamicTable } from './dynamic-table.ts';
import { HpackEncoder } from './encoder.ts';
import { HeaderField, isFieldName, isFieldValue, trait } from './header-field.ts';
import { codeBits } from './huffman-code.ts';
import { decodeHuffman } from './huffman-decoder.ts';
import { encodeHuffman, huffmanSize } from './huffman-encoder.ts';
import { staticTable } from './static-table.ts';

type Pair = readonly [name: string, value: string];

function decode(decoder: HpackDecoder, hex: string): Pair[] {
  const fields: Pair[] = [];
  const block = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  decoder.decode(block, 0, block.length, { field: ({ name, value }) => fields.push([name, value]) });
  return fields;
}

function encode(encoder: HpackEncoder, fields: readonly Pair[]): Buffer {
  const out = Buffer.alloc(fields.reduce((sum, [name, value]) => sum + HpackEncoder.bound(name, value), 10));
  let at = encoder.begin(out, 0);
  for (const [name, value] of fields) at = encoder.field(out, at, name, value);
  return out.subarray(0, at);
}

const get: Pair[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'www.example.com'],
];
const getSecure: Pair[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/index.html'],
  [':authority', 'www.example.com'],
  ['custom-key', 'custom-value'],
];
const cookie = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const answers: Pair[][] = [
  [
    [':status', '302'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '307'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '200'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
    ['location', 'https://www.example.com'],
    ['content-encoding', 'gzip'],
    ['set-cookie', cookie],
  ],
];

describe('RFC 7541 appendix C', () => {
  test('C.2: each representation by itself', () => {
    const key = '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572';
    assert.deepEqual(decode(new HpackDecoder(), key), [['custom-key', 'custom-header']]);
    const path = decode(new HpackDecoder(), '040c 2f73 616d 706c 652f 7061 7468');
    assert.deepEqual(path, [[':path', '/sample/path']]);
    const secret = decode(new HpackDecoder(), '1008 7061 7373 776f 7264 0673 6563 7265 74');
    assert.deepEqual(secret, [['password', 'secret']]);
    assert.deepEqual(decode(new HpackDecoder(), '82'), [[':method', 'GET']]);
  });

  const sequences: {
    name: string;
    tableBytes: number;
    blocks: [hex: string, fields: Pair[], table: number][];
  }[] = [
    {
      name: 'C.3: requests without Huffman coding',
      tableBytes: 4096,
      blocks: [
        ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', get, 57],
        ['8286 84be 5808 6e6f 2d63 6163 6865', [...get, ['cache-control', 'no-cache']], 110],
        ['8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65', getSecure, 164],
      ],
    },
    {
      name: 'C.4: requests with Huffman coding',
      tableBytes: 4096,
      blocks: [
        ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', get, 57],
        ['8286 84be 5886 a8eb 1064 9cbf', [...get, ['cache-control', 'no-cache']], 110],
        ['8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf', getSecure, 164],
      ],
    },
    {
      name: 'C.5: responses without Huffman coding, with eviction',
      tableBytes: 256,
      blocks: [
        [
          '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
          answers[0] ?? [],
          222,
        ],
        ['4803 3330 37c1 c0bf', answers[1] ?? [], 222],
        [
          '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
          answers[2] ?? [],
          215,
        ],
      ],
    },
    {
      name: 'C.6: responses with Huffman coding, with eviction',
      tableBytes: 256,
      blocks: [
        [
          '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
          answers[0] ?? [],
          222,
        ],
        ['4883 640e ffc1 c0bf', answers[1] ?? [], 222],
        [
          '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
          answers[2] ?? [],
          215,
        ],
      ],
    },
  ];
  for (const { name, tableBytes, blocks } of sequences) {
    test(name, () => {
      const decoder = new HpackDecoder(tableBytes);
      for (const [hex, fields, table] of blocks) {
        assert.deepEqual(decode(decoder, hex), fields);
        assert.equal(decoder.tableBytes, table);
      }
    });
  }
});

describe('what cannot be decoded', () => {
  const cases: readonly (readonly [why: string, hex: string])[] = [
    ['index 0', '80'],
    ['an index beyond both tables', 'be'],
    ['a name index beyond both tables', '7f 00 01 61'],
    ['an integer that never ends', 'ff 80 80 80 80 80 80 01'],
    ['an integer that is cut off', 'ff 80'],
    ['an integer of 2^35', 'ff ff ff ff ff 7f'],
    ['a string that is cut off', '00 05 61'],
    ['a name without a value', '00 01 61'],
    ['a table size update after a field', '82 20'],
    ['a table size update beyond the setting', '3f e2 1f'],
    ['Huffman padding of eight bits', '00 01 61 82 1f ff'],
    ['Huffman padding of zeros', '00 01 61 81 18'],
    ['the end-of-string symbol', '00 01 61 84 ff ff ff ff'],
  ];
  for (const [why, hex] of cases) {
    test(why, () => assert.throws(() => decode(new HpackDecoder(), hex), HpackError));
  }

  test('no bytes make it throw anything else, or read outside', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decode(new HpackDecoder(), Buffer.from(bytes).toString('hex'));
        } catch (thrown) {
          assert.ok(thrown instanceof HpackError, String(thrown));
        }
      }),
      { seed: 7541, numRuns: 2000 },
    );
  });
});

describe('Huffman code', () => {
  test('is complete: the lengths leave no code unused', () => {
    assert.equal(
      codeBits.reduce((sum, bits) => sum + 2 ** -bits, 0),
      1,
    );
  });

  test('gives back every text of octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        const text = Buffer.from(octets).toString('latin1');
        const coded = Buffer.alloc(huffmanSize(text));
        assert.equal(encodeHuffman(text, coded, 0), coded.length);
        const decoded = Buffer.alloc(octets.length * 2 + 8);
        assert.equal(decodeHuffman(coded, 0, coded.length, decoded), octets.length);
        assert.deepEqual(decoded.subarray(0, octets.length), Buffer.from(octets));
      }),
      { seed: 7541, numRuns: 1000 },
    );
  });
});

const nameArbitrary = fc.constantFrom(
  ':path',
  ':status',
  'accept',
  'authorization',
  'content-type',
  'cookie',
  'grpc-message',
  'x-a',
  'x-b',
  'x-long',
);
const valueArbitrary = fc.oneof(
  fc.constantFrom('', 'application/grpc', '200', '/', 'x'.repeat(300), 'y'.repeat(5000)),
  fc.uint8Array({ maxLength: 40 }).map((octets) => Buffer.from(octets).toString('latin1')),
);

describe('encoder and decoder', () => {
  test('agree over any sequence of blocks, whatever the table size does in between', () => {
    const block = fc.record({
      fields: fc.array(fc.tuple(nameArbitrary, valueArbitrary), { maxLength: 12 }),
      sizes: fc.array(fc.integer({ min: 0, max: 4096 }), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
        const encoder = new HpackEncoder();
        const decoder = new HpackDecoder();
        for (const { fields, sizes } of blocks) {
          for (const size of sizes) encoder.resize(size);
          const coded = encode(encoder, fields);
          assert.deepEqual(decode(decoder, coded.toString('hex')), fields);
          assert.equal(encoder.tableBytes, decoder.tableBytes);
        }
      }),
      { seed: 7541, numRuns: 500 },
    );
  });

  test('what comes again costs a byte', () => {
    const encoder = new HpackEncoder();
    const fields: Pair[] = [
      [':status', '200'],
      ['content-type', 'application/grpc'],
      ['x-anything', 'the same'],
    ];
    encode(encoder, fields);
    encode(encoder, fields);
    assert.equal(encode(encoder, fields).length, 3);
  });

  test('a secret enters no table, here or on the way', () => {
    const encoder = new HpackEncoder();
    for (let time = 0; time < 3; time++) {
      const [first] = encode(encoder, [['authorization', 'Bearer secret']]);
      assert.equal((first ?? 0) & 0xf0, 0x10, 'literal, never indexed');
    }
    assert.equal(encoder.tableBytes, 0);
  });

  test('values that never come again do not fill the table', () => {
    const encoder = new HpackEncoder();
    for (let time = 0; time < 1000; time++) encode(encoder, [['x-request', `unique ${time}`]]);
    assert.equal(encoder.tableBytes, 0);
  });
});

describe('dynamic table', () => {
  test('never counts more than its size, and finds the newest first', () => {
    const operation = fc.oneof(
      fc.record({ add: fc.integer({ min: 0, max: 200 }) }),
      fc.record({ resize: fc.integer({ min: 0, max: 600 }) }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const table = new DynamicTable(600);
        let model: HeaderField[] = [];
        for (const each of operations) {
          if ('resize' in each) {
            table.resize(each.resize);
          } else {
            const field = new HeaderField('n', 'v'.repeat(each.add));
            table.add(field);
            model = [field, ...model];
          }
          let size = 0;
          model = model.filter((field) => (size += field.size) <= table.maxSize);
          // A field that is too large leaves nothing, not even what would fit behind it.
          if (table.count === 0) model = [];
          assert.deepEqual(
            Array.from({ length: table.count }, (_, distance) => table.at(distance)),
            model.slice(0, table.count),
          );
          assert.equal(table.at(table.count), undefined);
          assert.ok(table.size <= table.maxSize);
          model = model.slice(0, table.count);
        }
      }),
      { seed: 7541, numRuns: 300 },
    );
  });
});

describe('fields', () => {
  test('the static table holds 61 fields that nothing is wrong with', () => {
    assert.equal(staticTable.length, 62);
    const bad = staticTable.slice(1).filter(({ traits }) => (traits & trait.malformed) !== 0);
    assert.deepEqual(bad, []);
  });

  test('names are lower-case tokens', () => {
    for (const name of ['x-a', 'te', "!#$%&'*+-.^_`|~0"]) assert.ok(isFieldName(name), name);
    for (const name of ['', 'X-a', 'a b', 'a:b', 'a\0', 'é', 'a\u0100']) assert.ok(!isFieldName(name), name);
  });

  test('values have no controls, and no white space around them', () => {
    for (const value of ['', 'a', 'a b\tc', '\u00ff']) assert.ok(isFieldValue(value), value);
    for (const value of [' a', 'a ', '\ta', 'a\r', 'a\nb', 'a\0', '\u007f', '\u0100'])
      assert.ok(!isFieldValue(value));
  });
});
