import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Call, HeddleError, userId } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { Fields, type HttpRequest, type HttpResponse, wholeBody } from '@heddle/wire';
import { httpServer, type ServerPart } from '../server/rpc-server.ts';
import { graphqlClient } from './graphql-client.ts';
import { httpClient } from './http-client.ts';
import { jsonClient } from './json-client.ts';
import type { StandardSchema } from './standard-schema.ts';

const runtime = nodeRuntime({ name: 'http', logLevel: 'error' });
const servers: ServerPart[] = [];
const seen: { path: string; method: string; body: string; user: string | undefined; server: string }[] = [];
/** Answers that a server gives next, in place of its usual one. */
const next: HttpResponse[] = [];

function json(status: number, body: unknown, type = 'application/json'): HttpResponse {
  const content = wholeBody(new TextEncoder().encode(JSON.stringify(body)));
  return { status, fields: Fields.of({ 'content-type': type }), body: content };
}

/** What a library of validators would make. */
function schema<T>(check: (value: unknown) => string | undefined): StandardSchema<T> {
  const validate = (value: unknown): { value: T } | { issues: { message: string; path: string[] }[] } => {
    const wrong = check(value);
    return wrong === undefined
      ? { value: value as T }
      : { issues: [{ message: wrong, path: ['user', 'name'] }] };
  };
  return { '~standard': { version: 1, vendor: 'test', validate } };
}
const anything = schema<unknown>(() => undefined);
const User = schema<{ id: string; name: string }>((value) =>
  typeof (value as { name?: unknown } | undefined)?.name === 'string' ? undefined : 'expected a text',
);

before(async () => {
  for (const server of ['one', 'two']) {
    const part = httpServer(
      async (req: HttpRequest, call: Call) => {
        const body = new TextDecoder().decode(await req.body.bytes(10_000));
        seen.push({ path: req.path, method: req.method, body, user: call.get(userId), server });
        return next.shift() ?? json(200, { id: 'u 1', name: 'Ada' });
      },
      { runtime },
    );
    await part.start();
    servers.push(part);
  }
});
after(() => Promise.all(servers.map((each) => each.stop())));

function open(more: Partial<Parameters<typeof httpClient>[0]> = {}): ReturnType<typeof httpClient> {
  seen.length = 0;
  const target = `static:///${servers.map(({ address }) => `${address.host}:${address.port}`).join(',')}`;
  return httpClient({ runtime, target, policy: 'round_robin', ...more });
}

test('JSON: path, query and content are written, the context goes along, and the answer has its type', async () => {
  const client = open();
  const api = jsonClient(client.service, { runtime });
  const call = Call.root(runtime).set(userId, 'u-7');
  const query = { q: 'a&b', tag: ['x', 'y'], none: undefined };
  const { name } = await api.request('GET', '/users/{id}', {
    path: { id: 'u 1' },
    query,
    within: call,
    answer: User,
  });
  assert.equal(name, 'Ada');
  await api.request('POST', '/users', { body: { name: 'Bob' }, answer: anything });
  client.close();
  assert.deepEqual(
    seen.map(({ path, body, user }) => [path, body, user]),
    [
      ['/users/u%201?q=a%26b&tag=x&tag=y', '', 'u-7'],
      ['/users', '{"name":"Bob"}', undefined],
    ],
  );
});

test('JSON: a refusal, an answer of another shape, and a path that is not filled, each as its error', async () => {
  const client = open();
  const api = jsonClient(client.service, { runtime });
  const get = (): Promise<unknown> => api.request('GET', '/users/{id}', { path: { id: 1 }, answer: User });
  next.push(
    json(404, { title: 'x', reason: 'NO_SUCH_USER', detail: 'no user 1' }, 'application/problem+json'),
  );
  await assert.rejects(
    get(),
    (error) => error instanceof HeddleError && error.is('not_found', 'NO_SUCH_USER'),
  );
  next.push(json(200, { id: 1 }));
  await assert.rejects(get(), /BAD_ANSWER|user\.name: expected a text/);
  next.push({ status: 200, fields: new Fields(), body: wholeBody(new TextEncoder().encode('<html>')) });
  await assert.rejects(get(), (error) => error instanceof HeddleError && error.reason === 'NOT_JSON');
  await assert.rejects(
    api.request('GET', '/users/{id}', { answer: User }),
    (error) => error instanceof HeddleError && error.is('invalid_argument', 'BAD_PATH') && !error.sent,
  );
  client.close();
});

test('a GET is tried again elsewhere; a POST only with a key', async () => {
  const client = open({ backoff: { baseMs: 1 } });
  const api = jsonClient(client.service, { runtime });
  const unavailable = (): HttpResponse => json(503, { reason: 'BUSY' });
  next.push(unavailable());
  await api.request('GET', '/a', { answer: anything });
  next.push(unavailable());
  await api.request('POST', '/b', { body: 1, idempotencyKey: 'k', answer: anything });
  next.push(unavailable());
  await assert.rejects(api.request('POST', '/c', { body: 1, answer: anything }), /503/);
  client.close();
  const times = (path: string): number => seen.filter((each) => each.path === path).length;
  assert.deepEqual([times('/a'), times('/b'), times('/c')], [2, 2, 1]);
  const [first, second] = seen;
  assert.notEqual(first?.server, second?.server);
});

test('reads are kept, and equal ones that come together are one', async () => {
  const client = open({ cache: { ttlMs: 60_000 }, coalesce: true });
  const api = jsonClient(client.service, { runtime });
  const read = (): Promise<unknown> => api.request('GET', '/users', { answer: anything });
  await Promise.all(Array.from({ length: 20 }, read));
  await read();
  client.close();
  assert.equal(seen.length, 1);
});

test('GraphQL: a query may be repeated though it is a POST, a mutation may not; errors are errors', async () => {
  const client = open({ backoff: { baseMs: 1 } });
  const api = graphqlClient(client.service, { runtime });
  const data = schema<{ user: { name: string } }>(() => undefined);
  next.push(
    json(503, {}),
    json(200, { data: { user: { name: 'Ada' } } }, 'application/graphql-response+json'),
  );
  const document = 'query Q($id: ID!) { user(id: $id) { name } }';
  const answer = await api.query({ document, variables: { id: '1' }, operationName: 'Q', data });
  assert.equal(answer.user.name, 'Ada');
  assert.deepEqual(JSON.parse(seen[1]?.body ?? ''), {
    query: document,
    variables: { id: '1' },
    operationName: 'Q',
  });
  next.push(json(503, {}));
  await assert.rejects(api.mutate({ document: 'mutation { x }', data }), /503/);
  const errors = [{ message: 'not yours', path: ['user'], extensions: { code: 'FORBIDDEN' } }];
  next.push(json(200, { errors, data: { user: null } }));
  await assert.rejects(
    api.query({ document, data }),
    (error) =>
      error instanceof HeddleError &&
      error.is('permission_denied', 'FORBIDDEN') &&
      /user: not yours/.test(error.message),
  );
  client.close();
  assert.equal(seen.length, 4);
});
