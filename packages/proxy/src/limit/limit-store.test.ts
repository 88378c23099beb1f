import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { VirtualTime } from '@heddle/kernel/simulated';
import { MemoryRateStore } from '@heddle/traffic';
import { loadGatewayConfig, type GatewayConfig, readGatewayConfig } from '../model/gateway-config.ts';
import { LimitStores, type OpenedStore } from './limit-store.ts';

const runtime = {} as Runtime;

function configWith(store: object | undefined): GatewayConfig {
  const routes = [{ path: '/', respond: { status: 200 } }];
  return loadGatewayConfig(
    JSON.stringify({ routes, ...(store !== undefined && { rateLimitStore: store }) }),
    'test',
  );
}

/** Stores that say when they are opened and closed. */
function stores(secrets: Readonly<Record<string, string>> = {}): { said: string[]; stores: LimitStores } {
  const said: string[] = [];
  const local = new MemoryRateStore(new VirtualTime().clock);
  const open = ({ redis }: { redis: string }, password: string | undefined): OpenedStore => {
    said.push(`open ${redis} ${password ?? '-'}`);
    const opened = new MemoryRateStore(new VirtualTime().clock);
    return Object.assign(opened, { close: () => void said.push(`close ${redis}`) });
  };
  return { said, stores: new LimitStores(runtime, (name) => secrets[name], local, open) };
}

describe('where limits are counted', () => {
  test('one store for all versions that name it, closed with the last', () => {
    const { said, stores: all } = stores({ PASS: 'word' });
    const first = configWith({ redis: 'redis://a', passwordEnv: 'PASS' });
    const second = configWith({ redis: 'redis://a', passwordEnv: 'PASS', onFailure: 'closed', timeoutMs: 7 });
    const one = all.take(first);
    const two = all.take(second);
    assert.equal(one.store, two.store);
    assert.deepEqual(
      [one.onFailure, one.timeoutMs, two.onFailure, two.timeoutMs],
      ['local', 250, 'closed', 7],
    );
    all.release(first);
    assert.deepEqual(said, ['open redis://a word']);
    all.release(second);
    assert.deepEqual(said, ['open redis://a word', 'close redis://a']);
  });

  test('without one, in this process', () => {
    const { said, stores: all } = stores();
    const { store, local } = all.take(configWith(undefined));
    assert.equal(store, local);
    assert.deepEqual(said, []);
  });

  test('a password that is not there is named', () => {
    const { stores: all } = stores();
    assert.throws(
      () => all.take(configWith({ redis: 'redis://a', passwordEnv: 'PASS' })),
      (thrown) =>
        thrown instanceof HeddleError && thrown.reason === 'MISSING_SECRET' && /PASS/.test(thrown.message),
    );
  });

  for (const [what, store] of [
    ['a password in the file', { redis: 'redis://:word@a' }],
    ['another scheme', { redis: 'http://a' }],
    ['a mode that is none', { redis: 'redis://a', onFailure: 'maybe' }],
    ['a prefix that would move the slot', { redis: 'redis://a', prefix: '{a}' }],
    ['a time that is none', { redis: 'redis://a', timeoutMs: 0 }],
  ] as const)
    test(`refuses ${what}`, () => {
      const text = JSON.stringify({ rateLimitStore: store, routes: [] });
      assert.throws(
        () => readGatewayConfig(text, 'test'),
        (thrown) => thrown instanceof HeddleError && thrown.reason === 'BAD_CONFIG',
      );
    });
});
