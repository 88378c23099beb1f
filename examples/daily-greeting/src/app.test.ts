// Two instances, a registry and a client, in one process and under a seed: no socket is opened, and no time passes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remoteRegistry } from '@heddle/discovery';
import { embeddedRegistry, registryService } from '@heddle/discovery/embedded';
import { createClient, createTransport, httpServer } from '@heddle/rpc';
import { type Program, simulate } from '@heddle/sim';
import { dailyGreetingApp, serviceName } from './app.ts';
import { DailyGreetingService } from './gen/daily_greeting/v1/daily_greeting_pb.ts';

const addresses = [{ host: 'registry', port: 8090 }];

const registry: Program = async (runtime) => {
  const service = registryService(await embeddedRegistry(runtime));
  await httpServer(service, { runtime, address: { host: '0.0.0.0', port: 8090 } }).start();
};

const instance =
  (advertise: string): Program =>
  (runtime) => {
    const settings = { host: '0.0.0.0', port: 8080, advertise, version: 'test', register: true };
    return dailyGreetingApp({ runtime, registry: remoteRegistry({ runtime, addresses }), settings }).start();
  };

test('an instance is killed, and nobody who calls notices', async () => {
  const world = simulate({ seed: 7 });
  world.host('registry').run(registry);
  for (const name of ['a', 'b']) world.host(name).run(instance(name));
  await world.run(3000);
  const answers: string[] = [];
  world.host('client').run(async (runtime) => {
    const options = { runtime, registry: remoteRegistry({ runtime, addresses }) };
    const transport = createTransport({ ...options, target: `discovery:///${serviceName}` });
    const client = createClient(DailyGreetingService, transport);
    for (let n = 1; n <= 100; n++) {
      answers.push((await client.greet({ name: 'Ada' })).instance);
      if (n === 50) world.host('a').kill();
    }
  });
  await world.runUntil('a hundred answers', 30_000, () => answers.length === 100);
  assert.deepEqual([...new Set(answers)].toSorted(), ['a:8080', 'b:8080']);
  await world.end();
});
