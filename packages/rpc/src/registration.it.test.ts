// A registration in its registry: the gauge, readiness and the health that its own check finds.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { remoteRegistry } from '@heddle/discovery';
import { type EmbeddedRegistry, embeddedRegistry } from '@heddle/discovery/embedded';
import { nodeRuntime } from '@heddle/kernel/node';
import { Fields, type HttpServer, serve, wholeBody } from '@heddle/wire';
import { HealthBoard } from './health/health-board.ts';
import { registration } from './registration.ts';
import { until } from './testing/wait.ts';

describe('registration', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-registration-'));
  const runtime = { ...nodeRuntime({ name: 'test', dataFolder: folder }), log: (): void => {} };
  let registry: EmbeddedRegistry;
  let server: HttpServer;
  let status = 200;

  before(async () => {
    registry = await embeddedRegistry(runtime);
    const answer = { fields: Fields.of({}), body: wholeBody(new Uint8Array(0)) };
    const address = { host: '127.0.0.1', port: 0 };
    server = await serve(async () => ({ status, ...answer }), { runtime, address });
  });
  after(async () => {
    await registry.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  it('reports what its check finds, and whether it is registered', async () => {
    const seen: boolean[] = [];
    const instance = () => ({ id: 'a', service: 'users', address: '127.0.0.1', port: server.address.port });
    const check = { kind: 'http', path: '/health' } as const;
    const stated = registration({ runtime, registry, instance, check, onRegistered: (is) => seen.push(is) });
    await stated.register();
    assert.deepEqual(seen, [true]);
    await until(async () => (await registry.instances('users')).instances[0]?.health === 'passing');
    await stated.deregister();
    assert.deepEqual([seen, (await registry.instances('users')).instances], [[true, false], []]);
    status = 500;
    await stated.register();
    assert.equal(
      (await registry.instances('users')).instances[0]?.health,
      'unknown',
      'until a check has run',
    );
    await stated.deregister();
  });

  it('serves without the registry, unless its readiness is tied to that', async () => {
    const away = remoteRegistry({ runtime, addresses: [{ host: '127.0.0.1', port: 1 }] });
    const instance = () => ({ id: 'a', service: 'users', address: '127.0.0.1', port: 1 });
    for (const servesOnlyRegistered of [false, true]) {
      const health = new HealthBoard();
      const stated = registration({ runtime, registry: away, instance, health, servesOnlyRegistered });
      await stated.register();
      assert.equal(health.serving(''), !servesOnlyRegistered);
      await stated.deregister().catch(() => {});
    }
    await away.close();
  });
});
