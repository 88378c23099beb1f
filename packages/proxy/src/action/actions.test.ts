import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fields, wholeBody } from '@heddle/wire';
import { World } from '../testdata/world.ts';

const split = [
  { upstream: 'h:1', weight: 80 },
  { upstream: 'h:2', weight: 20 },
];

describe('a split', () => {
  test('goes by weight', async () => {
    const counts = await World.of({ path: '/', split }).spread(2000, () => ({}));
    assert.ok(Math.abs((counts['1'] ?? 0) - 1600) < 90, JSON.stringify(counts));
  });

  test('keeps a cookie on its side, and moves nobody back when the share grows', async () => {
    const sticky = { by: 'cookie', name: 'id' };
    const canary = async (weight: number): Promise<Set<string>> => {
      const shares = [
        { upstream: 'h:2', weight },
        { upstream: 'h:1', weight: 100 - weight },
      ];
      const world = World.of({ path: '/', split: shares, sticky });
      await world.spread(400, (n) => ({ cookie: `a=b; id=${n % 200}` }));
      const on = (at: string): string[] =>
        world.asked.filter((each) => each.at === at).map(({ req }) => req.fields.get('cookie') ?? '');
      assert.equal(new Set(on('1')).size + new Set(on('2')).size, 200, 'no cookie on both sides');
      return new Set(on('2'));
    };
    const [small, large] = [await canary(20), await canary(40)];
    assert.ok(small.size > 20 && small.size < 60, `${small.size}`);
    assert.ok(large.size > small.size && [...small].every((each) => large.has(each)));
  });

  test('gives a variant first to those who carry it', async () => {
    const variants = [
      { from: 'header', name: 'x-beta', value: '1', upstream: 'h:3' },
      { from: 'cookie', name: 'beta', value: '1', upstream: 'h:4' },
    ];
    const world = World.of({ path: '/', upstream: 'h:1', variants });
    await world.send('/', { 'x-beta': '1' });
    await world.send('/', { cookie: 'beta=1' });
    await world.send('/', { 'x-beta': '2', cookie: 'beta=2' });
    assert.deepEqual(
      world.asked.map(({ at }) => at),
      ['3', '4', '1'],
    );
  });
});

test('fields are removed, set and added on the way in and out', async () => {
  const world = World.of({
    path: '/',
    upstream: 'h:1',
    request: { remove: ['x-secret'], set: { 'x-a': 'ours' }, add: { 'x-b': 'two' } },
    response: { remove: ['server'], set: { 'x-frame-options': 'DENY' } },
  });
  world.answerFields = Fields.of({ server: 'old' });
  const res = await world.send('/', { 'x-secret': '1', 'x-a': 'theirs', 'x-b': 'one' });
  const { fields } = world.asked[0]?.req ?? { fields: new Fields() };
  assert.deepEqual(
    [fields.get('x-secret'), fields.all('x-a'), fields.all('x-b')],
    [undefined, ['ours'], ['one', 'two']],
  );
  assert.deepEqual([res.fields.get('server'), res.fields.get('x-frame-options')], [undefined, 'DENY']);
});

test('redirects and answers of its own reach no upstream', async () => {
  const world = World.of(
    { path: '/old', redirect: { to: 'https://new.example/x', status: 308 } },
    { path: '/hello', respond: { status: 200, body: 'hi' } },
  );
  const moved = await world.send('/old?a=1');
  assert.deepEqual([moved.status, moved.fields.get('location')], [308, 'https://new.example/x?a=1']);
  const hello = await world.send('/hello');
  assert.equal(Buffer.from(await hello.body.bytes(10)).toString(), 'hi');
  assert.equal(world.asked.length, 0);
});

test('a mirror gets a copy that says so, and delays nothing', async () => {
  const world = World.of({ path: '/', upstream: 'h:1', mirror: { upstream: 'h:2' } });
  await world.send('/a', {}, { method: 'POST', body: wholeBody(Buffer.from('x')) });
  const copy = world.asked.find(({ at }) => at === '2')?.req;
  assert.equal(copy?.fields.get('x-mirrored'), '1');
  assert.equal(Buffer.from((await copy?.body.bytes(9)) ?? []).toString(), 'x');
  assert.equal(world.asked.find(({ at }) => at === '1')?.req.fields.has('x-mirrored'), false);
});

describe('CORS', () => {
  const cors = { origins: ['https://shop.example'], methods: ['PUT'], headers: ['x-a'], credentials: true };
  const preflight = (origin: string): Record<string, string> => ({
    origin,
    'access-control-request-method': 'PUT',
  });

  test('answers a preflight here, and permits nothing to strangers', async () => {
    const world = World.of({ path: '/', upstream: 'h:1', cors });
    const yes = await world.send('/', preflight('https://shop.example'), { method: 'OPTIONS' });
    assert.equal(yes.status, 204);
    assert.equal(yes.fields.get('access-control-allow-origin'), 'https://shop.example');
    assert.equal(yes.fields.get('access-control-allow-methods'), 'PUT');
    const no = await world.send('/', preflight('https://shop.example.evil'), { method: 'OPTIONS' });
    assert.equal(no.fields.get('access-control-allow-origin'), undefined);
    assert.equal(world.asked.length, 0);
  });

  test('replaces what the upstream says about it', async () => {
    const world = World.of({ path: '/', upstream: 'h:1', cors });
    world.answerFields = Fields.of({ 'access-control-allow-origin': '*' });
    const res = await world.send('/', { origin: 'https://shop.example' });
    assert.deepEqual(res.fields.all('access-control-allow-origin'), ['https://shop.example']);
    const stranger = await world.send('/', { origin: 'https://evil.example' });
    assert.equal(stranger.fields.has('access-control-allow-origin'), false);
    assert.equal(stranger.fields.get('vary'), 'origin');
  });
});

test('faults meet their share, and a delay takes its time', async () => {
  const world = World.of({
    path: '/',
    upstream: 'h:1',
    fault: { delay: { percent: 100, ms: 500 }, abort: { percent: 50, status: 418 } },
  });
  const before = world.runtime.clock.nowMs();
  const statuses: number[] = [];
  for (let n = 0; n < 200; n++) statuses.push((await world.send('/')).status);
  const aborted = statuses.filter((status) => status === 418).length;
  assert.ok(aborted > 70 && aborted < 130, `${aborted}`);
  assert.ok(world.runtime.clock.nowMs() - before >= 100_000);
});

test('a route has its own limit of content', async () => {
  const world = World.of({ path: '/', upstream: 'h:1' }, { path: '/s', upstream: 'h:1', maxBodyBytes: 3 });
  const body = wholeBody(Buffer.from('four'));
  assert.equal((await world.send('/s', {}, { method: 'POST', body })).status, 413);
  assert.equal((await world.send('/x', {}, { method: 'POST', body })).status, 200);
});

test('what a route in quarantine is for reaches no less specific route', async () => {
  const world = World.of({ path: '/', upstream: 'h:1' }, { path: '/admin', upstream: 'h:1', attempts: 0 });
  assert.equal((await world.send('/admin/x')).status, 503);
  assert.equal((await world.send('/other')).status, 200);
});

test('the upstream is asked for the host of the request, its own, or another', async () => {
  const to = (path: string, forwardHost?: string): object => ({
    path,
    upstream: 'static:///127.0.0.1:1',
    ...(forwardHost !== undefined && { forwardHost }),
  });
  const world = World.of(to('/a'), to('/b', 'upstream'), to('/c', 'inner.example'), to('/d', 'pass'));
  for (const path of ['/a', '/b', '/c', '/d']) assert.equal((await world.send(path)).status, 200);
  // Where none is named, the way to an instance puts in the instance's address.
  assert.deepEqual(
    world.asked.map(({ req }) => req.authority),
    ['a', '', 'inner.example', 'a'],
  );
});
