import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Client, createClient } from '@connectrpc/connect';
import { embeddedRegistry } from '@heddle/discovery/embedded';
import { App, type HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { createTransport } from './client/create-transport.ts';
import { EchoService } from './gen/heddle/testing/v1/echo_pb.ts';
import { Health, HealthCheckResponse_ServingStatus as Status } from './gen/grpc/health/v1/health_pb.ts';
import { registration } from './registration.ts';
import { type RpcServer, rpcServer } from './server/rpc-server.ts';
import { echoHandlers } from './testing/echo-handlers.ts';
import { until } from './testing/wait.ts';

const folder = await mkdtemp(join(tmpdir(), 'heddle-rpc-'));
const runtime = nodeRuntime({ name: 'rolling', dataFolder: folder, logLevel: 'error' });
const registry = await embeddedRegistry(runtime);
after(async () => {
  await registry.close();
  await rm(folder, { recursive: true });
});

async function startInstance(name: string): Promise<{ app: App; server: RpcServer }> {
  const server = rpcServer({ runtime, routes: (router) => router.service(EchoService, echoHandlers(name)) });
  const instance = (): { service: string; id: string; address: string; port: number } => {
    return { service: 'echo', id: name, address: server.address.host, port: server.address.port };
  };
  const app = new App({
    name,
    runtime,
    parts: [server],
    registrations: [registration({ runtime, registry, instance, health: server.health })],
    propagationMs: 150,
    drainMs: 5000,
  });
  await app.start();
  return { app, server };
}

/** Calls in a circle until told to stop; notes who answered and what failed. */
function load(echo: Client<typeof EchoService>): {
  answered: Map<string, number>;
  failures: string[];
  stop: () => Promise<void>;
} {
  const answered = new Map<string, number>();
  const failures: string[] = [];
  let going = true;
  const count = (instance: string): void => {
    answered.set(instance, (answered.get(instance) ?? 0) + 1);
  };
  const call = async (kind: number): Promise<void> => {
    // Calls with effects and calls that stream: no retry covers for a drain that loses one.
    if (kind % 3 === 2) {
      let last = '';
      let messages = 0;
      for await (const { instance } of echo.expand({ text: 's', count: 5, delayMs: 2 })) {
        last = instance;
        messages++;
      }
      assert.equal(messages, 5);
      count(last);
    } else {
      count((await echo.append({ text: 'x', delayMs: kind % 3 === 0 ? 5 : 0 })).instance);
    }
  };
  const caller = async (kind: number): Promise<void> => {
    while (going)
      await call(kind).catch((error: unknown) => failures.push(String((error as HeddleError).stack)));
  };
  const callers = Promise.all(Array.from({ length: 12 }, (_, kind) => caller(kind)));
  const stop = async (): Promise<void> => {
    going = false;
    await callers;
  };
  return { answered, failures, stop };
}

test('a rolling restart under load fails no call, not even one that must not be repeated', {
  timeout: 60_000,
}, async () => {
  let running = [await startInstance('a1'), await startInstance('b1')];
  const transport = createTransport({ runtime, target: 'discovery:///echo', registry });
  const { answered, failures, stop } = load(createClient(EchoService, transport));
  await until(() => (answered.get('a1') ?? 0) > 50 && (answered.get('b1') ?? 0) > 50);
  for (const generation of [2, 3]) {
    const next: typeof running = [];
    for (const [index, old] of running.entries()) {
      const name = `${'ab'.charAt(index)}${generation}`;
      next.push(await startInstance(name));
      await until(() => (answered.get(name) ?? 0) > 20);
      const report = await old.app.stop();
      assert.deepEqual(report.problems, []);
    }
    running = next;
  }
  await stop();
  await transport.drain();
  await Promise.all(running.map(({ app }) => app.stop()));
  assert.deepEqual(failures, []);
  assert.equal(answered.size, 6, 'every instance of every generation has answered');
});

test('health follows the registration: serving when registered, not serving before the drain', {
  timeout: 20_000,
}, async () => {
  const { app, server } = await startInstance('h');
  const transport = createTransport({ runtime, target: `127.0.0.1:${server.address.port}` });
  const health = createClient(Health, transport);
  for (const service of ['', EchoService.typeName]) {
    assert.equal((await health.check({ service })).status, Status.SERVING, service);
  }
  await assert.rejects(health.check({ service: 'unknown.Service' }), { code: 'not_found' });
  const seen: Status[] = [];
  const watching = (async () => {
    for await (const { status } of health.watch({ service: EchoService.typeName })) {
      seen.push(status);
      if (status === Status.NOT_SERVING) break;
    }
  })();
  await until(() => seen.length > 0);
  const stopped = app.stop();
  await watching;
  assert.deepEqual(seen, [Status.SERVING, Status.NOT_SERVING]);
  transport.close();
  assert.deepEqual((await stopped).problems, []);
  assert.deepEqual((await registry.instances('echo')).instances, []);
});
