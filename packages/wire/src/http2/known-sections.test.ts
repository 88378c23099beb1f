import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fields } from '../message/fields.ts';
import { emptyBody } from '../message/body.ts';
import { flag, frameType } from './frame.ts';
import { literalStart } from './hpack/encoder.ts';
import { type KnownSection, KnownSections } from './known-sections.ts';
import { frame } from './testdata/raw-frames.ts';
import { ByHand } from './testdata/server-by-hand.ts';

function section(path: string): KnownSection {
  const none = undefined;
  const rest = { scheme: none, authority: none, protocol: none, status: none, host: none };
  return {
    method: 'GET',
    path,
    ...rest,
    contentLength: none,
    pseudo: true,
    raw: [],
    listBytes: 0,
    count: 1,
    isRequest: false,
  };
}

/** A literal of RFC 7541 section 6.2: `first` says how it is indexed. */
function literal(first: number, ...texts: string[]): Buffer {
  return Buffer.concat([
    Buffer.of(first),
    ...texts.flatMap((text) => [Buffer.of(text.length), Buffer.from(text)]),
  ]);
}

// :method GET, :scheme http, :path /
const plain = Buffer.of(0x82, 0x86, 0x84);
const authority = literal(0x01, 'test');

function request(streamId: number, ...parts: Buffer[]): Buffer {
  const flags = flag.endHeaders | flag.endStream;
  return frame(frameType.headers, flags, streamId, Buffer.concat([plain, authority, ...parts]));
}

test('a block is known in the state that it was kept in, and in no other', () => {
  const known = new KnownSections();
  const bytes = Buffer.from('..block..');
  assert.equal(known.find(bytes, 2, 7, 1), undefined);
  known.keep(bytes, 2, 7, 1, section('/a'));
  bytes[0] = 0x21;
  assert.equal(known.find(bytes, 2, 7, 1)?.path, '/a');
  assert.equal(known.find(bytes, 2, 7, 2), undefined, 'another state');
  assert.equal(known.find(bytes, 1, 7, 1), undefined, 'more bytes');
  bytes[4] = 0x21;
  assert.equal(known.find(bytes, 2, 7, 1), undefined, 'other bytes');
});

test('only the last few are kept, and of many strange ones in a row not every one', () => {
  const known = new KnownSections();
  let kept = 0;
  for (let path = 0; path < 1000; path++) {
    const bytes = Buffer.from(String(path));
    if (known.find(bytes, 0, bytes.length, 0) !== undefined || !known.wants(0, bytes.length)) continue;
    known.keep(bytes, 0, bytes.length, 0, section(`/${path}`));
    kept++;
  }
  assert.ok(kept < 100, `${kept} of 1000 were kept`);
  const still = Array.from({ length: 1000 }, (_, path) => Buffer.from(String(path))).filter(
    (bytes) => known.find(bytes, 0, bytes.length, 0) !== undefined,
  );
  assert.equal(still.length, 4);
  assert.equal(known.wants(0, 1000), false, 'a large one');
});

test('the same bytes mean something else once the dynamic table has changed', async () => {
  const seen: string[] = [];
  const hand = new ByHand(async ({ fields }) => {
    seen.push([...fields].map(([name, value]) => `${name}=${value}`).join(' '));
    // Whatever a service does with its fields, it does to its own.
    fields.set('x', 'changed');
    return { status: 200, fields: new Fields(), body: emptyBody };
  });
  const newest = Buffer.of(0xbe);
  await hand.begin(request(1, literal(0x40, 'x', 'one')), request(3, newest), request(5, newest));
  await hand.turn();
  hand.feed(request(7, literal(0x40, 'x', 'two')), request(9, newest), request(11, newest));
  await hand.turn();
  assert.deepEqual(seen, ['x=one', 'x=one', 'x=one', 'x=two', 'x=two', 'x=two']);
});

test('a faulty section is found faulty each time, and none of its fields turns up in another', async () => {
  const seen: string[] = [];
  const hand = new ByHand(async ({ path, fields }) => {
    seen.push(`${path} ${fields.size}`);
    return { status: 200, fields: new Fields(), body: emptyBody };
  });
  const upper = literal(0x00, 'Upper', 'x');
  await hand.begin(request(1, upper), request(3, upper), request(5), request(7, upper), request(9));
  await hand.turn();
  assert.deepEqual(seen, ['/ 0', '/ 0']);
  assert.deepEqual(
    [1, 3, 5, 7, 9].map((id) => hand.log.resetOf(id)),
    [1, 1, undefined, 1, undefined],
  );
});

test('cookies and an expectation are read anew each time', async () => {
  const seen: string[] = [];
  const hand = new ByHand(async ({ fields }) => {
    seen.push(fields.get('cookie') ?? '');
    return { status: 200, fields: new Fields(), body: emptyBody };
  });
  const crumbs = Buffer.concat([literal(0x00, 'cookie', 'a=1'), literal(0x00, 'cookie', 'b=2')]);
  await hand.begin(request(1, crumbs), request(3, crumbs));
  await hand.turn();
  assert.deepEqual(seen, ['a=1; b=2', 'a=1; b=2']);
});

/** A `traceparent` as our own encoder writes it. */
function traced(value: string): Buffer {
  return Buffer.concat([literalStart('traceparent'), Buffer.of(value.length), Buffer.from(value)]);
}

const parent = (digit: string): string => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;

test('a trace behind a section that is known is read each time, and one that is faulty is refused each time', async () => {
  const seen: string[] = [];
  const hand = new ByHand(async ({ fields }) => {
    seen.push([...fields].map(([name, value]) => `${name}=${value}`).join(' '));
    return { status: 200, fields: new Fields(), body: emptyBody };
  });
  const x = literal(0x00, 'x', 'one');
  await hand.begin(
    request(1, x, traced(parent('1'))),
    request(3, x, traced(parent('2'))),
    request(5, x),
    request(7, x, traced(parent('3').replace('-', '\n'))),
    request(9, x, traced(parent('4'))),
    request(11, traced(parent('5'))),
  );
  await hand.turn();
  const expected = ['1', '2', '', '4', '5'].map((digit) =>
    [digit !== '5' && 'x=one', digit !== '' && `traceparent=${parent(digit)}`].filter(Boolean).join(' '),
  );
  assert.deepEqual(seen, expected);
  assert.deepEqual(
    [1, 3, 5, 7, 9, 11].map((id) => hand.log.resetOf(id)),
    [undefined, undefined, undefined, 1, undefined, undefined],
  );
});

test('a trace behind a section that is known counts for the limits', async () => {
  const seen: string[] = [];
  const service = async ({ fields }: { readonly fields: Fields }): Promise<never> => {
    seen.push(fields.get('traceparent') ?? 'none');
    throw new Error('seen');
  };
  const hand = new ByHand(service, { maxHeaderFields: 4 });
  // Three pseudo-fields, the authority: four are taken, and one more is not, whether it is known or not.
  await hand.begin(request(1), request(3), request(5, traced(parent('1'))), request(7));
  await hand.turn();
  assert.deepEqual(seen, ['none', 'none', 'none']);
});
