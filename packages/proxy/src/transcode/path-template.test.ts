import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { byTemplate, matchTemplate, parseTemplate, type PathTemplate } from './path-template.ts';

function template(text: string): PathTemplate {
  const made = parseTemplate(text);
  assert.ok(typeof made !== 'string', `${text}: ${JSON.stringify(made)}`);
  return made;
}

function matched(text: string, path: string): Record<string, string> | undefined {
  const found = matchTemplate(template(text), path);
  return found && Object.fromEntries(found.map(({ field, value }) => [field.join('.'), value]));
}

describe('a path template', () => {
  for (const [text, path, expected] of [
    ['/v1/books', '/v1/books', {}],
    ['/v1/books', '/v1/books/', undefined],
    ['/v1/books/{id}', '/v1/books/7', { id: '7' }],
    ['/v1/books/{id}', '/v1/books/', undefined],
    ['/v1/books/{id}', '/v1/books/7/8', undefined],
    ['/v1/{book.author.name}', '/v1/ann', { 'book.author.name': 'ann' }],
    ['/v1/{name=shelves/*/books/*}', '/v1/shelves/1/books/2', { name: 'shelves/1/books/2' }],
    ['/v1/{name=shelves/*/books/*}', '/v1/shelves/1/pages/2', undefined],
    ['/v1/{name=files/**}', '/v1/files/a/b/c', { name: 'files/a/b/c' }],
    ['/v1/{name=files/**}', '/v1/files', { name: 'files' }],
    ['/v1/{name=jobs/*}:cancel', '/v1/jobs/7:cancel', { name: 'jobs/7' }],
    ['/v1/{name=jobs/*}:cancel', '/v1/jobs/7', undefined],
    ['/v1/{name=jobs/**}:cancel', '/v1/jobs/7/8:cancel', { name: 'jobs/7/8' }],
    ['/v1/*/x', '/v1/any/x', {}],
    ['/v1/{a}/{b}', '/v1/1/2', { a: '1', b: '2' }],
    ['/v1/{id}', '/v1/a%20b%C3%BC', { id: 'a bü' }],
    ['/v1/{id}', '/v1/%FF', { id: '%FF' }],
    ['/v1/{id}', '/v1/7:cancel', { id: '7:cancel' }],
  ] as const)
    test(`${text} and ${path}`, () => assert.deepEqual(matched(text, path), expected));

  for (const text of [
    '',
    'v1',
    '/v1//x',
    '/v1/',
    '/v1/{id',
    '/v1/id}',
    '/v1/{a{b}}',
    '/v1/{1a}',
    '/v1/{a.}',
    '/v1/{a=}',
    '/v1/**/x',
    '/v1/{a=**}/x',
    '/v1/{a=x//y}',
    '/v1/x:',
    '/v1/{a}b',
    '/v1/a b',
  ])
    test(`${JSON.stringify(text)} is none`, () => assert.equal(typeof parseTemplate(text), 'string'));

  test('the more specific one first', () => {
    const texts = ['/v1/{a=**}', '/v1/{a}', '/v1/x', '/v1/x/{b}', '/v1/{a}:go'];
    const sorted = texts.toSorted((a, b) => byTemplate(template(a), template(b)));
    assert.equal(sorted[0], '/v1/{a}:go');
    assert.ok(sorted.indexOf('/v1/x') < sorted.indexOf('/v1/{a}'));
    assert.ok(sorted.indexOf('/v1/{a}') < sorted.indexOf('/v1/{a=**}'));
  });
});
