import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { World } from '../testdata/world.ts';

const sha256 = createHash('sha256').update('key-of-ann').digest('hex');
const secret = 'sesame-0123456789-0123456789-0123456789';
const issuer = { issuer: 'i', audiences: ['shop'], algorithms: ['HS256'], secretEnv: 'TOKEN_SECRET' };
const auth = {
  jwt: [issuer],
  apiKeys: { keys: [{ id: 'ann', sha256, roles: ['ops'], scopes: ['read'] }] },
  claimsToFields: { tenant: 'x-tenant', 'address.city': 'x-city', roles: 'x-roles' },
};
const upstream = 'h:1';

function world(...routes: object[]): World {
  return new World(
    { auth, routes: routes.map((route) => ({ path: '/', upstream, ...route })) },
    { TOKEN_SECRET: secret },
  );
}

/** A token at the start of the simulated time. */
function token(time: World, claims: object): Record<string, string> {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(time.runtime.clock.wallMs() / 1000) + 60;
  const input = `${part({ alg: 'HS256' })}.${part({ iss: 'i', aud: 'shop', sub: 'bob', exp, ...claims })}`;
  const signature = createHmac('sha256', secret).update(input).digest('base64url');
  return { authorization: `Bearer ${input}.${signature}` };
}

describe('an API key', () => {
  const places = { ...auth.apiKeys, query: 'key', cookie: 'api-key' };
  const site = new World({
    auth: { apiKeys: places },
    routes: [{ path: '/', upstream, auth: { any: ['apiKey'] } }],
  });
  const ask = async (path: string, headers: Record<string, string> = {}): Promise<readonly unknown[]> => {
    site.asked.length = 0;
    const { status } = await site.send(path, headers);
    const req = site.asked[0]?.req;
    return [status, req?.path, req?.fields.get('cookie')];
  };

  test('may come in the query or in a cookie, and goes no further', async () => {
    assert.deepEqual(await ask('/a?x=1&key=key-of-ann&y=%20'), [200, '/a?x=1&y=%20', undefined]);
    assert.deepEqual(await ask('/a?key=key-of-ann'), [200, '/a', undefined]);
    assert.deepEqual(await ask('/a', { cookie: 'a=1; api-key=key-of-ann; b=2' }), [200, '/a', 'a=1; b=2']);
    assert.deepEqual(await ask('/a?%6Bey=key-of-ann'), [200, '/a', undefined]);
  });

  test('may come once', async () => {
    for (const [path, headers] of [
      ['/a?key=key-of-ann&key=key-of-ann', {}],
      ['/a?key=key-of-ann', { 'x-api-key': 'key-of-ann' }],
      ['/a', { cookie: 'api-key=key-of-ann; api-key=x' }],
      ['/a?key=wrong', {}],
      ['/a?KEY=key-of-ann', {}],
    ] as const)
      assert.deepEqual((await ask(path, headers))[0], 401, path);
  });
});

describe('a route with authentication', () => {
  test('refuses strangers, and says how to do better', async () => {
    const site = world({ auth: { any: ['jwt', 'apiKey'] } });
    const res = await site.send('/');
    assert.deepEqual([res.status, res.fields.get('www-authenticate')], [401, 'Bearer']);
    assert.equal((await site.send('/', { 'x-api-key': 'wrong' })).status, 401);
    assert.equal(site.asked.length, 0);
  });

  test('tells the upstream who it is, and not the key', async () => {
    const site = world({ auth: { any: ['jwt', 'apiKey'] } });
    await site.send('/', { 'x-api-key': 'key-of-ann', 'x-user-id': 'root' });
    const fields = site.asked[0]?.req.fields;
    assert.equal(fields?.has('x-api-key'), false);
    assert.equal(fields?.has('x-user-id'), false, 'the claim of a stranger is gone');
  });

  test('puts claims into fields, and removes what others put there, on every route', async () => {
    const site = world({ auth: { any: ['jwt'] } }, { path: '/open' });
    const claims = { tenant: 't1', address: { city: 'a\r\nx-role: admin' }, roles: ['a', 'b'] };
    await site.send('/', { ...token(site, claims), 'x-tenant': 't2', x_tenant: 't3', 'x-city': 'x' });
    const fields = site.asked[0]?.req.fields;
    assert.deepEqual(fields?.all('x-tenant'), ['t1']);
    assert.deepEqual(
      [fields?.has('x_tenant'), fields?.has('x-city'), fields?.get('x-roles')],
      [false, false, 'a,b'],
    );
    await site.send('/open', { 'x-tenant': 't2' });
    assert.equal(site.asked[1]?.req.fields.has('x-tenant'), false);
  });

  test('"all" needs every proof', async () => {
    const site = world({ auth: { all: ['jwt', 'apiKey'] } });
    assert.equal((await site.send('/', token(site, {}))).status, 401);
    assert.equal((await site.send('/', { ...token(site, {}), 'x-api-key': 'key-of-ann' })).status, 200);
  });

  test('refuses two Authorization fields', async () => {
    const site = world({ auth: { any: ['jwt'] } });
    const good = token(site, {});
    const { Fields } = await import('@heddle/wire');
    const fields = new Fields(['authorization', 'Bearer x', 'authorization', good['authorization'] ?? '']);
    assert.equal((await site.send('/', {}, { fields })).status, 401);
  });

  test('asks its rules with the path as it was matched', async () => {
    const access = [
      { effect: 'allow', roles: ['ops'] },
      { effect: 'deny', paths: ['/secret'], methods: ['GET'] },
    ];
    const site = world({ auth: { any: ['apiKey', 'jwt'] }, access, rewrite: '/moved' });
    const key = { 'x-api-key': 'key-of-ann' };
    assert.equal((await site.send('/a', key)).status, 200);
    assert.equal((await site.send('/x/%2e%2e//%73ecret', key)).status, 403);
    assert.equal((await site.send('/a', token(site, {}))).status, 403);
  });

  test('a page may read the refusal', async () => {
    const site = world({ auth: { any: ['jwt'] }, cors: { origins: ['https://a'] } });
    const res = await site.send('/', { origin: 'https://a' });
    assert.deepEqual([res.status, res.fields.get('access-control-allow-origin')], [401, 'https://a']);
  });
});

test('a secret that is not there is named, and nothing starts', () => {
  assert.throws(() => new World({ auth, routes: [] }), { reason: 'MISSING_SECRET', message: /TOKEN_SECRET/ });
  assert.throws(() => new World({ auth, routes: [] }, { TOKEN_SECRET: 'short' }), { reason: 'WEAK_SECRET' });
});

test('limits count strangers by address before any proof, and others by role', async () => {
  const windowMs = 60_000;
  const rule = { algorithm: 'fixed_window', limit: 1, windowMs };
  const site = world({
    auth: { any: ['apiKey'] },
    rateLimit: [
      { name: 'address', key: ['ip'], rule: { ...rule, limit: 5 } },
      { name: 'user', key: ['user'], rule, tiers: { ops: { ...rule, limit: 3 } } },
    ],
  });
  const statuses: number[] = [];
  for (let n = 0; n < 4; n++) statuses.push((await site.send('/', { 'x-api-key': 'key-of-ann' })).status);
  statuses.push((await site.send('/')).status, (await site.send('/')).status);
  assert.deepEqual(statuses, [200, 200, 200, 429, 401, 429]);
});
