// JSON over HTTP before a gRPC server of grpc-js, and gRPC on the same gateway by grpc-js.
import assert from 'node:assert/strict';
import * as grpc from '@grpc/grpc-js';
import { shelves } from './shelf-server.ts';
import type { Stage } from './stage.ts';

/** One promise of the gateway. */
export interface ProtocolCase {
  readonly name: string;
  readonly run: (stage: Stage) => Promise<void>;
}

type Row = readonly [
  what: string,
  method: string,
  target: string,
  content: unknown,
  status: number,
  answer: unknown,
];

const name = 'shelves/1/books/2';
const book = {
  title: 'Loom',
  pages: '7',
  kind: 'NOVEL',
  tags: ['a'],
  author: { fullName: 'Ann', born: 3 },
  cover: 'AAEC',
};

const rows: readonly Row[] = [
  [
    'a template of several segments',
    'GET',
    `/v1/${name}`,
    undefined,
    200,
    { name, title: 'asked by me', pages: '9007199254740993' },
  ],
  [
    'an additional binding',
    'GET',
    '/v1/books/x%20y',
    undefined,
    200,
    { name: 'x y', title: 'asked by me', pages: '9007199254740993' },
  ],
  [
    'response_body',
    'GET',
    '/v1/shelves/1/books?page_size=2',
    undefined,
    200,
    [{ name: '1/0' }, { name: '1/1' }],
  ],
  ['response_body that is empty', 'GET', '/v1/shelves/1/books?pageSize=0', undefined, 200, []],
  ['a field as the content', 'POST', '/v1/shelves/1/books?book_id=2', book, 200, { name, ...book }],
  [
    'all of the content',
    'PATCH',
    `/v1/${name}`,
    { ...book, name: 'shelves/9/books/9' },
    200,
    { name, ...book },
  ],
  ['an empty answer', 'DELETE', `/v1/${name}`, undefined, 200, {}],
  ['a verb behind a colon', 'POST', '/v1/shelves/1/books/2:archive', {}, 200, { name, title: 'archived' }],
  [
    'a query with nested, repeated and well-known fields',
    'GET',
    '/v1/search?kinds=NOVEL&kinds=POEM&author.born=4&since=2026-01-01T00:00:00Z',
    undefined,
    200,
    { kinds: ['NOVEL', 'POEM'], author: { born: 4 }, since: '2026-01-01T00:00:00Z' },
  ],
  [
    'not found',
    'GET',
    '/v1/books/missing',
    undefined,
    404,
    { code: 'not_found', reason: 'UPSTREAM_STATUS', message: 'no book missing' },
  ],
  ['not permitted', 'GET', '/v1/books/hidden', undefined, 403, undefined],
  [
    'an internal error is not told outside',
    'GET',
    '/v1/books/broken',
    undefined,
    500,
    { code: 'internal', reason: 'UPSTREAM_STATUS', message: 'an internal error; the log has more' },
  ],
  ['an unknown parameter', 'GET', '/v1/books/2?with_pages=1', undefined, 400, undefined],
  ['content that is no JSON', 'PATCH', `/v1/${name}`, '{', 400, undefined],
  ['content of an unknown field', 'PATCH', `/v1/${name}`, { titel: 'x' }, 400, undefined],
  ['content that is too large', 'PATCH', `/v1/${name}`, { title: 'x'.repeat(11_000_000) }, 413, undefined],
  ['no such method', 'GET', '/v1/authors', undefined, 404, undefined],
  ['another method', 'PUT', '/v1/books/2', undefined, 405, undefined],
  ['a method without a rule is not to be had', 'POST', '/v1/shelf.v1.Shelves/Hidden', {}, 404, undefined],
  ['a stream of the client', 'POST', '/v1/upload', [{ name: 'a' }, { name: 'b' }], 200, { name: 'got 2' }],
  ['an empty stream of the client', 'POST', '/v1/upload', [], 200, { name: 'got 0' }],
  ['a stream of the client that is no list', 'POST', '/v1/upload', {}, 400, undefined],
  ['a stream of the client with a bad message', 'POST', '/v1/upload', [{}, { nam: 'b' }], 400, undefined],
  [
    'a stream each way',
    'POST',
    '/v1/shelves/1:chat',
    [{ title: 'a' }, { title: 'b' }],
    200,
    [
      { name: 'shelves/1', title: 're: a' },
      { name: 'shelves/1', title: 're: b' },
    ],
  ],
  ['descriptors that are not there: only their route is closed', 'GET', '/lost/x', undefined, 503, undefined],
];

const byJson: ProtocolCase[] = rows.map(([what, method, target, content, status, expected]) => ({
  name: `transcoding: ${what}`,
  run: async ({ url }) => {
    const body =
      content === undefined ? undefined : typeof content === 'string' ? content : JSON.stringify(content);
    const headers = { 'content-type': 'application/json', 'x-who': 'me' };
    const answer = await fetch(`${url}${target}`, { method, headers, ...(body !== undefined && { body }) });
    const text = await answer.text();
    assert.equal(answer.status, status, text.slice(0, 300));
    if (expected === undefined) return;
    assert.deepEqual(JSON.parse(text), expected);
    assert.equal(answer.headers.get('content-type'), 'application/json');
    assert.equal(answer.headers.has('grpc-status'), false);
  },
}));

/** All of them. */
export const transcodingCases: readonly ProtocolCase[] = [
  ...byJson,
  {
    name: 'transcoding: fields that are not set, where the route wants them',
    run: async ({ url }) => {
      const answer = await fetch(`${url}/all/v1/shelves/1/books/2:archive`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
      const { pages, tags } = (await answer.json()) as Record<string, unknown>;
      assert.deepEqual([pages, tags], ['0', []]);
    },
  },
  {
    name: 'transcoding: a stream as an array, as lines and as events',
    run: async ({ url }) => {
      const ask = async (accept: string): Promise<string> =>
        (await fetch(`${url}/v1/shelves/s:watch?count=2`, { headers: { accept } })).text();
      assert.deepEqual(JSON.parse(await ask('application/json')), [{ name: 's/0' }, { name: 's/1' }]);
      assert.equal(await ask('application/x-ndjson'), '{"name":"s/0"}\n{"name":"s/1"}\n');
      assert.equal(await ask('text/event-stream'), 'data: {"name":"s/0"}\n\ndata: {"name":"s/1"}\n\n');
      assert.equal(await (await fetch(`${url}/v1/shelves/s:watch?count=0`)).text(), '[]');
    },
  },
  {
    name: 'transcoding: an error before, and within a stream, never looks like its end',
    run: async ({ url }) => {
      const ask = (query: string, accept = '*/*'): Promise<Response> =>
        fetch(`${url}/v1/shelves/s:watch?${query}`, { headers: { accept } });
      assert.equal((await ask('count=0&fail=true')).status, 409);
      await assert.rejects((await ask('count=2&fail=true')).text());
      assert.match(
        await (await ask('count=2&fail=true', 'application/x-ndjson')).text(),
        /\n\{"error":\{"code":"aborted"/,
      );
      assert.match(
        await (await ask('count=1&fail=true', 'text/event-stream')).text(),
        /event: error\ndata: \{"error"/,
      );
    },
  },
  {
    name: 'transcoding: a stream of the client as lines, answered as they come',
    run: async ({ url }) => {
      let send: ReadableStreamDefaultController<Uint8Array> | undefined;
      const body = new ReadableStream<Uint8Array>({ start: (controller) => void (send = controller) });
      const line = (value: object): void =>
        send?.enqueue(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
      line({ title: 'first' });
      const answer = await fetch(`${url}/v1/shelves/1:chat`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' },
        body,
        duplex: 'half',
      });
      const reader = answer.body?.getReader();
      const next = async (): Promise<string> => new TextDecoder().decode((await reader?.read())?.value);
      assert.equal(await next(), '{"name":"shelves/1","title":"re: first"}\n');
      line({ title: 'second' });
      assert.equal(await next(), '{"name":"shelves/1","title":"re: second"}\n');
      send?.close();
      assert.equal((await reader?.read())?.done, true);
      const bad = await fetch(`${url}/v1/upload`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: '{"name":"a"}\n{"nam":"b"}\n',
      });
      assert.equal(bad.status, 400);
    },
  },
  {
    name: 'transcoding: google.api.HttpBody is content as it is, of requests, answers and streams',
    run: async ({ url }) => {
      const cover = await fetch(`${url}/v1/${name}/cover`);
      assert.deepEqual(
        [cover.status, cover.headers.get('content-type'), await cover.text()],
        [200, 'image/png', `cover of ${name}`],
      );
      const set = await fetch(`${url}/v1/${name}/cover`, {
        method: 'PUT',
        headers: { 'content-type': 'image/gif' },
        body: new Uint8Array([0, 1, 255]),
      });
      assert.deepEqual(await set.json(), { name, title: 'image/gif', cover: 'AAH/' });
      const read = await fetch(`${url}/v1/${name}/text`);
      assert.deepEqual(
        [read.headers.get('content-type'), await read.text()],
        ['text/plain', 'It was a dark night'],
      );
    },
  },
  {
    name: 'grpc-js through the gateway: a call, its metadata, an error, a stream each way',
    run: async ({ url }) => {
      const client = new shelves(new URL(url).host, grpc.credentials.createInsecure());
      const deadline = (): { deadline: number } => ({ deadline: Date.now() + 30_000 });
      try {
        const who = new grpc.Metadata();
        who.set('x-who', 'grpc-js');
        const got = await called((then) => client['GetBook']?.({ name }, who, deadline(), then));
        assert.equal(got['title'], 'asked by grpc-js');
        const missing = called((then) => client['GetBook']?.({ name: 'missing' }, who, deadline(), then));
        await assert.rejects(missing, { code: grpc.status.NOT_FOUND, details: 'no book missing' });
        const names: string[] = [];
        const watched = client['WatchShelf']?.({ shelf: 's', count: 50 }, deadline()) as AsyncIterable<{
          name: string;
        }>;
        for await (const { name: each } of watched) names.push(each);
        assert.equal(names.length, 50);
        const uploaded = await called((then) => {
          const stream = client['Upload']?.(deadline(), then) as grpc.ClientWritableStream<object>;
          for (let at = 0; at < 20; at++) stream.write({ name: String(at) });
          stream.end();
        });
        assert.equal(uploaded['name'], 'got 20');
      } finally {
        client.close();
      }
    },
  },
];

function called(
  start: (then: (error: Error | null, got: Record<string, unknown>) => void) => void,
): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) =>
    start((error, got) => (error === null ? resolve(got) : reject(error))),
  );
}
