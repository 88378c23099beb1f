import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, HeddleError } from '@heddle/kernel';
import { Fields, type HttpResponse, wholeBody } from '@heddle/wire';
import { instance } from '../registry/validate-instance.ts';
import { type VirtualRuntime, virtualRuntime } from '../testing/virtual-runtime.ts';
import { type EmbeddedRegistry, embeddedRegistry } from './embedded-registry.ts';
import { type RegistryServiceOptions, registryService } from './registry-service.ts';

interface Stage {
  readonly runtime: VirtualRuntime;
  readonly registry: EmbeddedRegistry;
  readonly ask: (
    method: string,
    path: string,
    json?: unknown,
    fields?: Record<string, string>,
  ) => Promise<Answer>;
  readonly watch: (
    query?: string,
  ) => Promise<{ lines: AsyncIterator<Uint8Array>; call: Call; status: number }>;
}

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
  readonly fields: Fields;
}

async function stage(options: RegistryServiceOptions = {}, historyLength = 100): Promise<Stage> {
  const runtime = virtualRuntime();
  const registry = await runtime.time.run(embeddedRegistry(runtime, { historyLength }));
  const service = registryService(registry, options);
  const send = (
    method: string,
    path: string,
    body: Uint8Array,
    fields: Fields,
    call: Call,
  ): Promise<HttpResponse> =>
    service({ method, scheme: 'http', authority: 'r', path, fields, body: wholeBody(body) }, call);
  return {
    runtime,
    registry,
    ask: async (method, path, json, fields = {}) => {
      const bytes =
        json instanceof Uint8Array
          ? json
          : new TextEncoder().encode(json === undefined ? '' : JSON.stringify(json));
      const response = await runtime.time.run(
        send(method, path, bytes, Fields.of(fields), Call.root(runtime)),
      );
      const text = new TextDecoder().decode(await response.body.bytes(1e6));
      return {
        status: response.status,
        json: JSON.parse(text) as Record<string, unknown>,
        fields: response.fields,
      };
    },
    watch: async (query = '') => {
      const call = Call.root(runtime);
      const path = `/v1/services/users/watch${query}`;
      const response = await runtime.time.run(send('GET', path, new Uint8Array(0), new Fields(), call));
      return { lines: response.body[Symbol.asyncIterator](), call, status: response.status };
    },
  };
}

const a = instance({ service: 'users', id: 'a', address: 'h', port: 1 });
const put = (id: string, more: object = {}): object => ({
  instance: { ...a, id },
  lease: 'L',
  ttlMs: 10_000,
  fresh: true,
  ...more,
});
const pathOf = (id: string): string => `/v1/services/users/instances/${id}`;

function reasonOf({ json }: Answer): unknown {
  return (json['error'] as Record<string, unknown> | undefined)?.['reason'];
}

async function lineOf(
  { runtime }: Stage,
  lines: AsyncIterator<Uint8Array>,
): Promise<Record<string, unknown>> {
  const { value } = await runtime.time.run(lines.next());
  const text = new TextDecoder().decode(value as Uint8Array);
  assert.ok(text.endsWith('\n'));
  return JSON.parse(text) as Record<string, unknown>;
}

test('an entry is put, seen, renewed and removed', async () => {
  const at = await stage();
  assert.equal((await at.ask('PUT', pathOf('a'), put('a'))).status, 200);
  const seen = await at.ask('GET', '/v1/services/users/instances');
  assert.deepEqual(
    (seen.json['instances'] as { id: string }[]).map(({ id }) => id),
    ['a'],
  );
  assert.equal((await at.ask('POST', `${pathOf('a')}/renew`, { lease: 'L', health: 'passing' })).status, 200);
  assert.deepEqual((await at.ask('GET', '/v1/services')).json['services'], ['users']);
  assert.equal((await at.ask('GET', '/v1/status')).json['instances'], 1);
  assert.equal((await at.ask('DELETE', `${pathOf('a')}?lease=L`)).status, 200);
  assert.deepEqual((await at.ask('GET', '/v1/services')).json['services'], []);
});

test('an operator may remove an entry without its lease', async () => {
  const at = await stage();
  await at.ask('PUT', pathOf('a'), put('a'));
  assert.equal((await at.ask('DELETE', pathOf('a'))).status, 200);
  assert.equal(at.registry.store.status.instances, 0);
});

const refusals: readonly (readonly [
  what: string,
  method: string,
  path: string,
  body: unknown,
  status: number,
  reason: string,
])[] = [
  ['another path', 'GET', '/v2/services', undefined, 404, 'NO_SUCH_PATH'],
  ['another method', 'PATCH', pathOf('a'), {}, 404, 'NO_SUCH_PATH'],
  ['a bad service name', 'GET', '/v1/services/a%20b/instances', undefined, 400, 'BAD_SERVICE_NAME'],
  ['a bad percent sign', 'GET', '/v1/services/%zz/instances', undefined, 400, 'BAD_SERVICE_NAME'],
  ['no JSON', 'PUT', pathOf('a'), new TextEncoder().encode('{'), 400, 'BAD_INSTANCE'],
  ['a bad instance', 'PUT', pathOf('a'), { ...put('a'), instance: { ...a, port: 0 } }, 400, 'BAD_INSTANCE'],
  ['an instance of another path', 'PUT', pathOf('b'), put('a'), 400, 'BAD_REQUEST'],
  ['no lease', 'PUT', pathOf('a'), put('a', { lease: '' }), 400, 'BAD_REQUEST'],
  ['a lease with a newline', 'PUT', pathOf('a'), put('a', { lease: 'a\nb' }), 400, 'BAD_REQUEST'],
  ['a TTL that is no number', 'PUT', pathOf('a'), put('a', { ttlMs: '10' }), 400, 'BAD_REQUEST'],
  ['a TTL out of range', 'PUT', pathOf('a'), put('a', { ttlMs: 1 }), 400, 'BAD_TTL'],
  ['no freshness', 'PUT', pathOf('a'), put('a', { fresh: 1 }), 400, 'BAD_REQUEST'],
  ['an unknown health', 'POST', `${pathOf('a')}/renew`, { lease: 'L', health: 'fine' }, 400, 'BAD_REQUEST'],
  ['a renewal of nothing', 'POST', `${pathOf('a')}/renew`, { lease: 'L' }, 404, 'LEASE_LOST'],
  ['a body beyond the limit', 'PUT', pathOf('a'), new Uint8Array(300_000), 413, 'BODY_TOO_LARGE'],
  ['a bad position', 'GET', '/v1/services/users/watch?term=x&revision=1', undefined, 400, 'BAD_REQUEST'],
];

for (const [what, method, path, body, status, reason] of refusals) {
  test(`${what} is refused with ${status} ${reason}`, async () => {
    const at = await stage();
    const answer = await at.ask(method, path, body);
    assert.deepEqual([answer.status, reasonOf(answer)], [status, reason]);
    assert.equal(at.registry.store.status.instances, 0);
  });
}

test("another's lease is neither renewed nor removed, nor taken by one that comes back", async () => {
  const at = await stage();
  await at.ask('PUT', pathOf('a'), put('a'));
  const tries = [
    await at.ask('POST', `${pathOf('a')}/renew`, { lease: 'M' }),
    await at.ask('DELETE', `${pathOf('a')}?lease=M`),
    await at.ask('PUT', pathOf('a'), put('a', { lease: 'M', fresh: false })),
  ];
  for (const answer of tries) assert.deepEqual([answer.status, reasonOf(answer)], [409, 'LEASE_SUPERSEDED']);
});

test('with a token, nothing is told or done without it', async () => {
  const at = await stage({ token: 'sesame' });
  for (const authorization of [
    undefined,
    'Bearer',
    'Bearer sesam',
    'Bearer sesame2',
    'Basic sesame',
    'sesame',
  ]) {
    const answer = await at.ask(
      'GET',
      '/v1/services',
      undefined,
      authorization === undefined ? {} : { authorization },
    );
    assert.deepEqual([answer.status, reasonOf(answer)], [401, 'BAD_TOKEN'], authorization ?? 'none');
    assert.equal(answer.fields.get('www-authenticate'), 'Bearer');
    assert.ok(!JSON.stringify(answer.json).includes('sesame'));
  }
  assert.equal((await at.ask('GET', '/nowhere')).status, 401);
  assert.equal(
    (await at.ask('GET', '/v1/services', undefined, { authorization: 'bearer sesame' })).status,
    200,
  );
  await assert.rejects(stage({ token: '' }), { reason: 'EMPTY_TOKEN' });
});

test('a watch: snapshot, changes, and a sign of life while nothing happens', async () => {
  const at = await stage();
  await at.ask('PUT', pathOf('a'), put('a'));
  const { lines } = await at.watch();
  const { term } = at.registry.store.position;
  const first = await lineOf(at, lines);
  assert.deepEqual([first['kind'], first['term'], first['revision']], ['snapshot', term, 1]);
  await at.ask('PUT', pathOf('b'), put('b'));
  await at.ask('DELETE', pathOf('a'));
  const changes = await lineOf(at, lines);
  assert.deepEqual([changes['kind'], changes['revision']], ['changes', 3]);
  assert.deepEqual(
    (changes['changes'] as object[]).map((one) => Object.keys(one)),
    [['id', 'instance'], ['id']],
  );
  const beforeMs = at.runtime.clock.nowMs();
  assert.deepEqual(await lineOf(at, lines), { kind: 'alive', term, revision: 3 });
  assert.equal(at.runtime.clock.nowMs() - beforeMs, 5000);
});

test('a watch goes on from its position, and takes a snapshot where that is compacted or of another time', async () => {
  const at = await stage({}, 2);
  for (const id of ['a', 'b', 'c', 'd', 'e']) await at.ask('PUT', pathOf(id), put(id));
  const { term } = at.registry.store.position;
  const kindAfter = async (query: string): Promise<unknown> => {
    const { lines } = await at.watch(query);
    const line = await lineOf(at, lines);
    return [line['kind'], line['revision']];
  };
  assert.deepEqual(await kindAfter(`?term=${term}&revision=4`), ['changes', 5]);
  assert.deepEqual(await kindAfter(`?term=${term}&revision=5`), ['alive', 5]);
  assert.deepEqual(await kindAfter(`?term=${term}&revision=1`), ['snapshot', 5]);
  assert.deepEqual(
    await kindAfter(`?term=${term}&revision=6`),
    ['snapshot', 5],
    'from a future that never was',
  );
  assert.deepEqual(await kindAfter(`?term=${term - 1}&revision=5`), ['snapshot', 5]);
});

test('a watch is let go when its client leaves, by the call or by the body', async () => {
  const at = await stage();
  const byCall = await at.watch();
  const byBody = await at.watch();
  await lineOf(at, byCall.lines);
  await lineOf(at, byBody.lines);
  assert.equal(at.registry.store.status.watches, 2);
  byCall.call.cancel(
    new HeddleError({ code: 'cancelled', reason: 'CLIENT_LEFT', message: 'the client has left' }),
  );
  assert.equal(at.registry.store.status.watches, 1);
  await byBody.lines.return?.();
  assert.equal(at.registry.store.status.watches, 0);
});

test('watches are limited in number, and end when the registry closes', async () => {
  const at = await stage({ maxWatches: 1 });
  const { lines } = await at.watch();
  await lineOf(at, lines);
  assert.equal((await at.watch()).status, 429);
  const last = lines.next();
  await at.runtime.time.run(at.registry.close());
  assert.equal((await last).done, true);
  const closed = await at.ask('GET', '/v1/services');
  assert.deepEqual([closed.status, reasonOf(closed)], [503, 'REGISTRY_CLOSING']);
  assert.equal(at.runtime.time.pending, 0);
});
