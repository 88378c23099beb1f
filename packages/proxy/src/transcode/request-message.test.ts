import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fromBinary, type JsonValue, toJson } from '@bufbuild/protobuf';
import { readDescriptors } from './descriptors.ts';
import { matchTemplate } from './path-template.ts';
import { requestMessage } from './request-message.ts';

const bytes = readFileSync(new URL('../testdata/shelf/shelf.binpb', import.meta.url));
const { bindings, registry } = readDescriptors(bytes, []);

/** What the gRPC server would get, as JSON. */
function meant(verb: string, path: string, query = '', content?: JsonValue): JsonValue {
  for (const binding of bindings) {
    const variables = matchTemplate(binding.template, path);
    if (variables === undefined || binding.verb !== verb) continue;
    const message = requestMessage(
      binding,
      { variables, query: new URLSearchParams(query), content },
      registry,
    );
    const { input } = binding.method;
    return toJson(input, fromBinary(input, message), { registry });
  }
  return assert.fail(`nothing is called by ${verb} ${path}`);
}

describe('a request as a message', () => {
  test('by its path, of several segments and by another binding', () => {
    assert.deepEqual(meant('GET', '/v1/shelves/1/books/2'), { name: 'shelves/1/books/2' });
    assert.deepEqual(meant('GET', '/v1/books/2', 'with_cover=true'), { name: '2', withCover: true });
  });

  test('by its content, all of it or a field, and the path has the last word', () => {
    const book = { title: 'Loom', pages: '9007199254740993', kind: 'POEM', tags: ['a', 'b'], cover: 'AAEC' };
    assert.deepEqual(meant('POST', '/v1/shelves/7/books', 'bookId=x', book), {
      shelf: '7',
      book,
      bookId: 'x',
    });
    const path = '/v1/shelves/1/books/2';
    const told = meant('PATCH', path, '', { ...book, name: 'shelves/9/books/9' });
    assert.deepEqual(told, { name: 'shelves/1/books/2', ...book });
  });

  for (const [query, expected] of [
    ['kinds=NOVEL&kinds=2', { kinds: ['NOVEL', 'POEM'] }],
    ['author.full_name=Ann&author.born=-5', { author: { fullName: 'Ann', born: -5 } }],
    ['author.fullName=Ann', { author: { fullName: 'Ann' } }],
    ['since=2026-01-02T03:04:05Z', { since: '2026-01-02T03:04:05Z' }],
    ['within=1.5s', { within: '1.500s' }],
    ['fields=author.fullName,score', { fields: 'author.fullName,score' }],
    ['least_pages=7', { leastPages: 7 }],
    ['score=1.25', { score: 1.25 }],
    ['score=NaN', { score: 'NaN' }],
    ['after=18446744073709551615', { after: '18446744073709551615' }],
    ['cover=_-8%3D', { cover: '/+8=' }],
    ['exact=false', {}],
    ['by=title', { by: 'title' }],
  ] as const)
    test(`by its query: ${query}`, () => assert.deepEqual(meant('GET', '/v1/search', query), expected));

  for (const [query, why] of [
    ['unknown=1', /"unknown" is no field/],
    ['author=Ann', /cannot be said/],
    ['labels=x', /cannot be said/],
    ['exact=yes', /expected true or false/],
    ['score=much', /score/],
    ['after=-1', /after/],
    ['kinds=COMIC', /kinds/],
    ['score=1&score=2', /twice/],
    ['author.full_name.x=1', /no field/],
    ['since=yesterday', /since/],
  ] as const)
    test(`a mistake in the query: ${query}`, () =>
      assert.throws(() => meant('GET', '/v1/search', query), { reason: 'BAD_REQUEST', message: why }));

  test('no parameter says what the path or the content says', () => {
    const path = '/v1/shelves/7/books';
    for (const query of ['shelf=8', 'book.title=x'])
      assert.throws(() => meant('POST', path, query, { title: 'a' }), { message: /said elsewhere/ });
    assert.throws(() => meant('PATCH', '/v1/shelves/1/books/2', 'title=x', {}), { message: /no query/ });
  });

  test('content where there is none to be, or of another shape', () => {
    assert.throws(() => meant('GET', '/v1/search', '', { by: 'x' }), { message: /takes no content/ });
    for (const content of [7, 'x', [], { titel: 'x' }, { pages: 'many' }])
      assert.throws(() => meant('POST', '/v1/shelves/7/books', '', content), { reason: 'BAD_REQUEST' });
  });
});

describe('descriptors', () => {
  test('are those of the services that are wanted', () => {
    assert.throws(() => readDescriptors(bytes, ['shelf.v1.Other']), { message: /no service shelf.v1.Other/ });
    assert.equal(readDescriptors(bytes, ['shelf.v1.Shelves']).bindings.length, bindings.length);
  });

  for (const [name, given] of [
    ['nothing', new Uint8Array(0)],
    ['noise', new Uint8Array([1, 2, 3, 4])],
    ['half of them', bytes.subarray(0, bytes.length / 2)],
  ] as const)
    test(`of ${name} are refused`, () =>
      assert.throws(() => readDescriptors(given, []), { reason: 'BAD_DESCRIPTORS' }));
});
