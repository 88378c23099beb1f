import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { VirtualTime } from '@heddle/kernel/simulated';
import type { GatewayConfig } from '../model/gateway-config.ts';
import { shownConfig } from './diff.ts';
import { GatewayVersions } from './versions.ts';

interface Served {
  readonly versions: GatewayVersions;
  readonly applied: GatewayConfig[];
  failNext: HeddleError | undefined;
}

function begin(keep = 50): Served {
  const applied: GatewayConfig[] = [];
  const served: { failNext: HeddleError | undefined } = { failNext: undefined };
  const versions = new GatewayVersions({
    clock: new VirtualTime().clock,
    keep,
    apply: (config) => {
      const { failNext } = served;
      served.failNext = undefined;
      if (failNext !== undefined) throw failNext;
      applied.push(config);
    },
  });
  return Object.assign(served, { versions, applied });
}

const one = (content: string): { source: string; content: string }[] => [{ source: 'gateway.yaml', content }];
const route = (path: string, more = ''): string => `{ path: ${path}, respond: { status: 200 }${more} }`;
const routes = (...all: string[]): string => `routes: [${all.join(', ')}]`;

async function reasonOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (thrown: unknown) => HeddleError.from(thrown).reason,
  );
}

describe('versions of a configuration', () => {
  test('each change is a version; the same again is none', async () => {
    const { versions, applied } = begin();
    await versions.apply(one(routes(route('/a'))), 'start');
    await versions.apply(one(routes(route('/a'))), 'file');
    await versions.apply(one(routes(route('/a'), route('/b'))), 'file');
    assert.deepEqual(
      versions.all.map(({ id, why }) => [id, why]),
      [
        [1, 'start'],
        [2, 'file'],
      ],
    );
    assert.equal(applied.length, 2);
    assert.deepEqual(versions.diff(1, 2).at(0), { at: 'routes["/b"].name', from: undefined, to: '/b' });
  });

  test('one that cannot be loaded, or served, leaves the old one and is remembered as refused', async () => {
    const served = begin();
    const { versions } = served;
    await versions.apply(one(routes(route('/a'))), 'start');
    assert.equal(await reasonOf(versions.apply(one('routes: ['), 'file')), 'BAD_CONFIG');
    served.failNext = new HeddleError({
      code: 'failed_precondition',
      reason: 'MISSING_SECRET',
      message: 'X',
    });
    assert.equal(await reasonOf(versions.apply(one(routes(route('/b'))), 'file')), 'MISSING_SECRET');
    assert.equal(versions.current?.id, 1);
    assert.deepEqual(
      versions.refusals.map(({ error }) => error.reason),
      ['BAD_CONFIG', 'MISSING_SECRET'],
    );
    assert.equal((await versions.apply(one(routes(route('/b'))), 'file')).id, 2);
  });

  test('a route that goes bad goes on as it was, as long as it is bad; a new bad one is refused alone', async () => {
    const { versions } = begin();
    await versions.apply(one(routes(route('/a', ', timeoutMs: 7'), route('/b'))), 'start');
    for (const more of ['', ', name: later']) {
      const bad = routes(route('/a', ', timeoutMs: -1'), route('/b', more), route('/c', ', attempts: many'));
      const { config } = await versions.apply(one(bad), 'file');
      assert.deepEqual(
        config.quarantined.map(({ at, kept }) => [at, kept]),
        [
          ['routes[0]', true],
          ['routes[2]', false],
        ],
      );
      assert.deepEqual(
        Object.fromEntries(config.routes.map(({ match, timeoutMs }) => [match.path.value, timeoutMs])),
        { '/a': 7, '/b': 10_000 },
      );
    }
    const mended = await versions.apply(one(routes(route('/a', ', timeoutMs: 9'))), 'file');
    assert.deepEqual([mended.config.quarantined.length, mended.config.routes[0]?.timeoutMs], [0, 9]);
  });

  test('of several files one that cannot be read goes on with what it held', async () => {
    const { versions } = begin();
    const files = (a: string, b: string): { source: string; content: string }[] => [
      { source: 'a.yaml', content: a },
      { source: 'b.yaml', content: b },
    ];
    await versions.apply(
      files(`limits: { maxRequests: 5 }\n${routes(route('/a'))}`, routes(route('/b'))),
      'start',
    );
    const next = await versions.apply(files('{{{', routes(route('/c'))), 'file');
    assert.deepEqual(
      next.config.routes.map(({ name }) => name),
      ['/a', '/c'],
    );
    assert.equal(next.config.limits.maxRequests, 5);
    assert.deepEqual(
      next.kept.map(({ source }) => source),
      ['a.yaml'],
    );
    const twice = files('limits: { maxRequests: 5 }\nroutes: []', `limits: {}\n${routes(route('/b'))}`);
    assert.equal(await reasonOf(versions.apply(twice, 'file')), 'BAD_CONFIG');
    assert.match(
      versions.refusals.at(-1)?.error.message ?? '',
      /b\.yaml:1:1: "limits" is in a\.yaml already/,
    );
  });

  test('of several files one is read by what the others say, also when it changes', async () => {
    const { versions, applied } = begin();
    const two = (content: string): { source: string; content: string }[] => [
      { source: 'auth.yaml', content: 'auth: { basic: { users: [] } }\nroutes: []' },
      { source: 'routes.yaml', content },
    ];
    const proved = ', auth: { any: [basic] }';
    await versions.apply(two(routes(route('/a', proved))), 'start');
    await versions.apply(two(routes(route('/a', proved), route('/b', proved))), 'file');
    assert.deepEqual(versions.current?.kept, []);
    assert.equal(applied.at(-1)?.routes.length, 2);
  });

  test('the same requests in two files are a mistake of the second', async () => {
    const { versions } = begin();
    const files = ['a', 'b'].map((name) => ({
      source: `${name}.yaml`,
      content: routes(route('/x'), route(`/${name}`)),
    }));
    const { config } = await versions.apply(files, 'start');
    assert.deepEqual(
      config.quarantined.map(({ source, at, problems }) => [source, at, problems[0]?.message]),
      [['b.yaml', 'routes[0]', 'is for the same requests as routes[0] of a.yaml: /x']],
    );
  });

  test('going back serves an old one as a new version, and the same files again are a change then', async () => {
    const { versions, applied } = begin();
    await versions.apply(one(routes(route('/a'))), 'start');
    await versions.apply(one(routes(route('/b'))), 'file');
    const back = await versions.rollback(1);
    assert.deepEqual([back.id, back.why, back.config.routes[0]?.name], [3, 'rollback to 1', '/a']);
    assert.equal(applied.at(-1), versions.get(1).config);
    assert.deepEqual(versions.diff(1, 3), []);
    assert.equal((await versions.apply(one(routes(route('/b'))), 'SIGHUP')).id, 4);
    assert.equal(await reasonOf(versions.rollback(9)), 'NO_VERSION');
  });

  test('remembers so many, and applies in the order of the calls', async () => {
    const { versions } = begin(3);
    await Promise.all([1, 2, 3, 4, 5].map((n) => versions.apply(one(routes(route(`/${n}`))), 'file')));
    assert.deepEqual(
      versions.all.map(({ id, config }) => [id, config.routes[0]?.name]),
      [
        [3, '/3'],
        [4, '/4'],
        [5, '/5'],
      ],
    );
  });

  test('shows no hash of a key or a password', async () => {
    const { versions } = begin();
    const keys = (digit: string): string =>
      `auth: { apiKeys: { keys: [{ id: ci, sha256: "${digit.repeat(64)}" }] } }\n${routes(route('/a'))}`;
    await versions.apply(one(keys('a')), 'start');
    const { config } = await versions.apply(one(keys('b')), 'file');
    const shown = JSON.stringify([versions.diff(1, 2), shownConfig(config)]);
    assert.ok(!/a{64}|b{64}/.test(shown));
    assert.deepEqual(versions.diff(1, 2), [{ at: 'auth.apiKeys.keys[0].sha256', from: '…', to: '…' }]);
  });
});
