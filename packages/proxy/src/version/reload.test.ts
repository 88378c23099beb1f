import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { loadGatewayConfig, type GatewayConfig } from '../model/gateway-config.ts';
import { World } from '../testdata/world.ts';

function configOf(...routes: object[]): GatewayConfig {
  return loadGatewayConfig(JSON.stringify({ limits: { maxRequests: 2 }, routes }), 'test');
}

const to = (path: string, port: number): object => ({ path, upstream: `static:///127.0.0.1:${port}` });

describe('a change of the configuration', () => {
  test('serves what comes from now on; what has begun ends as it began, and then its upstreams are let go of', async () => {
    const world = World.of(to('/', 1), to('/both', 3));
    let answer = (): void => {};
    world.hold = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const before = world.start('/x');
    await world.time.advance(0);
    world.hold = async () => {};
    world.gateway.apply(configOf(to('/', 2), to('/both', 3)));
    const next = world.start('/y');
    await world.time.advance(0);
    assert.equal((await next).status, 200);
    assert.deepEqual(world.closed, []);
    answer();
    assert.equal((await before).status, 200);
    await world.time.advance(0);
    assert.deepEqual(
      world.asked.map(({ at, req }) => [at, req.path]),
      [
        ['1', '/x'],
        ['2', '/y'],
      ],
    );
    // The one that both have was never let go of.
    assert.deepEqual(world.closed, ['1']);
    assert.deepEqual([...world.gateway.targets.keys()], ['static:///127.0.0.1:2', 'static:///127.0.0.1:3']);
  });

  test('one that cannot be served changes nothing', async () => {
    const world = World.of(to('/', 1));
    const secret = { issuer: 'i', audiences: ['a'], algorithms: ['HS256'], secretEnv: 'NOT_THERE' };
    const text = JSON.stringify({ auth: { jwt: [secret] }, routes: [to('/', 2)] });
    assert.throws(
      () => world.gateway.apply(loadGatewayConfig(text, 'test')),
      (thrown) => HeddleError.from(thrown).reason === 'MISSING_SECRET',
    );
    assert.throws(
      () => world.gateway.apply(configOf({ path: '/d', upstream: 'discovery:///nowhere' })),
      (thrown) => thrown instanceof HeddleError,
    );
    assert.equal((await world.send('/')).status, 200);
    assert.deepEqual([...world.gateway.targets.keys()], ['static:///127.0.0.1:1']);
    assert.deepEqual(world.closed, []);
  });

  test('a route whose upstream cannot be resolved goes on as it was, however many reloads', async () => {
    const world = World.of(to('/', 1), to('/d', 3));
    for (let n = 0; n < 2; n++)
      world.gateway.apply(configOf(to('/', 2), { path: '/d', upstream: 'discovery:///nowhere' }));
    for (const path of ['/', '/d/x']) assert.equal((await world.send(path)).status, 200);
    assert.deepEqual(
      world.asked.map(({ at }) => at),
      ['2', '3'],
    );
  });

  test('a new route whose upstream cannot be resolved is refused alone', async () => {
    const world = World.of(to('/', 1));
    world.gateway.apply(configOf(to('/', 2), { path: '/d', upstream: 'discovery:///nowhere' }));
    assert.equal((await world.send('/')).status, 200);
    assert.equal((await world.send('/d/x')).status, 503);
    assert.deepEqual(
      world.asked.map(({ at }) => at),
      ['2'],
    );
  });

  test('what was prepared and is not wanted leaves nothing', async () => {
    const world = World.of(to('/', 1));
    world.gateway.prepare(configOf(to('/', 2))).discard();
    await world.time.advance(0);
    assert.deepEqual(world.closed, ['2']);
    assert.equal((await world.send('/')).status, 200);
  });

  test('requests in flight count over all versions', async () => {
    const world = World.of(to('/', 1));
    const answers: (() => void)[] = [];
    world.hold = () => new Promise((resolve) => answers.push(resolve));
    world.gateway.apply(configOf(to('/', 1)));
    const first = world.start('/1');
    await world.time.advance(0);
    world.gateway.apply(configOf(to('/', 1)));
    const second = world.start('/2');
    await world.time.advance(0);
    assert.equal(world.gateway.inFlight, 2);
    assert.equal((await world.start('/3')).status, 503);
    for (const answer of answers) answer();
    assert.deepEqual([(await first).status, (await second).status], [200, 200]);
    assert.equal(world.gateway.inFlight, 0);
  });

  test('a limit goes on counting', async () => {
    const rule = { algorithm: 'fixed_window', limit: 1, windowMs: 60_000 };
    const limited = { path: '/', respond: { status: 200 }, rateLimit: [{ name: 'a', key: ['ip'], rule }] };
    const world = World.of(limited);
    assert.equal((await world.send('/')).status, 200);
    world.gateway.apply(configOf(limited));
    assert.equal((await world.send('/')).status, 429);
  });
});
