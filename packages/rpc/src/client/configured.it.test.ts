// A service that is described as data, called as the data says, over real connections.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { serviceConfig } from '@heddle/discovery';
import { embeddedRegistry } from '@heddle/discovery/embedded';
import { HeddleError } from '@heddle/kernel';
import { createClient } from '../connect/create-client.ts';
import { nodeRuntime } from '@heddle/kernel/node';
import { EchoService } from '../gen/heddle/testing/v1/echo_pb.ts';
import { registration } from '../registration.ts';
import { rpcServer } from '../server/rpc-server.ts';
import { configured } from './configured.ts';
import { createTransport } from './create-transport.ts';

test('the deadline and the breaker are those of the configuration', async () => {
  const dataFolder = mkdtempSync(path.join(tmpdir(), 'heddle-configured-'));
  const runtime = nodeRuntime({ name: 'configured', dataFolder, logLevel: 'error' });
  const registry = await embeddedRegistry(runtime);
  let calls = 0;
  const remaining: number[] = [];
  const server = rpcServer({
    runtime,
    routes: (router) =>
      router.service(EchoService, {
        echo: (_req, call) => {
          calls++;
          remaining.push(call.remainingMs());
          throw new HeddleError({ code: 'internal', reason: 'BROKEN', message: 'always' });
        },
      }),
  });
  await server.start();
  const here = registration({
    runtime,
    registry,
    health: server.health,
    instance: () => ({ service: 'order', address: '127.0.0.1', port: server.address.port }),
  });
  await here.register();
  const config = serviceConfig({
    service: 'order',
    callTimeoutMs: 3000,
    checkIntervalMs: 100,
    checkTimeoutMs: 100,
  });
  const transport = createTransport({ runtime, registry, ...configured(config) });
  try {
    const echo = createClient(EchoService, transport);
    const reasons: string[] = [];
    for (let n = 0; n < 8; n++)
      await echo.echo({ text: 'x' }).catch((error: unknown) => reasons.push(HeddleError.from(error).reason));
    assert.equal(calls, 5, 'five failures in a row open the breaker');
    assert.deepEqual(reasons.slice(5), ['BREAKER_OPEN', 'BREAKER_OPEN', 'BREAKER_OPEN']);
    assert.ok(
      remaining.every((ms) => ms > 0 && ms <= 3000),
      remaining.join(),
    );
  } finally {
    transport.close();
    await here.deregister();
    await server.stop();
    await registry.close();
    rmSync(dataFolder, { recursive: true });
  }
});

test('the instances are checked as it says', () => {
  const check = { kind: 'http', path: '/up' } as const;
  const config = serviceConfig({
    service: 'order',
    healthCheck: check,
    checkIntervalMs: 9000,
    checkRetries: 2,
  });
  assert.deepEqual(configured(config).probe, { check, intervalMs: 9000, timeoutMs: 5000, fall: 2 });
});

test('what is switched off is not there, and a service that reports by itself is not asked', () => {
  const config = serviceConfig({
    service: 'order',
    balancing: 'p2c_ewma',
    circuitBreaker: false,
    healthCheck: { kind: 'ttl', ttlMs: 1000 },
  });
  assert.deepEqual(configured(config), { target: 'discovery:///order', policy: 'p2c_ewma', timeoutMs: 5000 });
});
