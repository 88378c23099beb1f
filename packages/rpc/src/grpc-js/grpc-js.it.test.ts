import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type ChannelOptions,
  type Client,
  credentials,
  makeGenericClientConstructor,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { EchoService } from '../gen/heddle/testing/v1/echo_pb.ts';
import { EchoFleet, type EchoProcess } from '../testing/node/echo-fleet.ts';
import { grpcJsService } from '../testing/grpc-js-service.ts';
import { until } from '../testing/wait.ts';
import { register } from './register.ts';

type Reply = { readonly instance: string; readonly text: string };
type Callback = (error: ServiceError | null, reply?: Reply) => void;
/** What a user of grpc-js has generated for the service. */
type EchoClient = Client & {
  echo(request: object, metadata: Metadata, callback: Callback): void;
  expand(request: object): AsyncIterable<Reply>;
};
const Echo = makeGenericClientConstructor(grpcJsService(EchoService), 'echo') as unknown as new (
  target: string,
  creds: ReturnType<typeof credentials.createInsecure>,
  options?: ChannelOptions,
) => EchoClient;

let fleet: EchoFleet;
let servers: EchoProcess[];
const clients: EchoClient[] = [];

before(async () => {
  fleet = await EchoFleet.open();
  const { runtime, registry } = fleet;
  register({ registry, runtime, zone: 'z1' });
  servers = await Promise.all([
    fleet.start('a', { weight: 50, zone: 'z1' }),
    fleet.start('b', { weight: 30, zone: 'z2' }),
    fleet.start('c', { weight: 20, zone: 'z2' }),
  ]);
});
after(async () => {
  for (const client of clients) client.close();
  await fleet.close();
});

function client(target: string, options: ChannelOptions = {}): EchoClient {
  const made = new Echo(target, credentials.createInsecure(), options);
  clients.push(made);
  return made;
}

function call(echo: EchoClient, request: object = { text: 'x' }, metadata = new Metadata()): Promise<Reply> {
  return new Promise((resolve, reject) => {
    echo.echo(request, metadata, (error, reply) => {
      if (error !== null || reply === undefined) reject(error ?? new Error('no answer'));
      else resolve(reply);
    });
  });
}

async function spread(echo: EchoClient, calls: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let n = 0; n < calls; n++) {
    const { instance } = await call(echo);
    counts[instance] = (counts[instance] ?? 0) + 1;
  }
  return counts;
}

/** Every instance has answered: from then on all are connected. */
async function warm(echo: EchoClient, instances: number): Promise<void> {
  const seen = new Set<string>();
  await until(async () => {
    seen.add((await call(echo)).instance);
    return seen.size === instances;
  });
}

test('an unmodified program gets the weights of the registry, exactly', async () => {
  const echo = client('discovery:///echo');
  await warm(echo, 3);
  assert.deepEqual(await spread(echo, 100), { a: 50, b: 30, c: 20 });
});

test('the query chooses a subset and a policy', async () => {
  const echo = client('discovery:///echo?zone=z2&policy=round_robin');
  await warm(echo, 2);
  assert.deepEqual(await spread(echo, 20), { b: 10, c: 10 });
});

test('least request: calls that start together see each other, and weights count', async () => {
  const echo = client('discovery:///echo?policy=least_request');
  await warm(echo, 3);
  const replies = await Promise.all(Array.from({ length: 20 }, () => call(echo, { text: 'x', delayMs: 50 })));
  const counts: Record<string, number> = {};
  for (const { instance } of replies) counts[instance] = (counts[instance] ?? 0) + 1;
  assert.deepEqual(counts, { a: 10, b: 6, c: 4 });
});

test('hashing by a header: a user keeps the instance, and the users are spread', async () => {
  for (const policy of ['ring_hash', 'maglev']) {
    const echo = client(`discovery:///echo?policy=${policy}&hash-header=x-user-id`);
    const of = async (user: string): Promise<string> => {
      const metadata = new Metadata();
      metadata.set('x-user-id', user);
      return (await call(echo, { text: 'x' }, metadata)).instance;
    };
    await warm(echo, 3);
    const users = Array.from({ length: 40 }, (_, index) => `user-${index}`);
    const homes = new Map<string, string>();
    for (const user of users) homes.set(user, await of(user));
    for (const user of users) assert.equal(await of(user), homes.get(user), `${policy}: ${user}`);
    assert.equal(new Set(homes.values()).size, 3, policy);
  }
});

test('locality: calls stay in the own zone; when that is lost they go elsewhere, and come back', {
  timeout: 60_000,
}, async () => {
  const echo = client('discovery:///echo?policy=locality');
  const settled = (instances: readonly string[]): Promise<void> =>
    until(async () => Object.keys(await spread(echo, 10)).every((each) => instances.includes(each)));
  await settled(['a']);
  assert.deepEqual(await spread(echo, 30), { a: 30 });
  await (servers[0] as EchoProcess).stop();
  await settled(['b', 'c']);
  servers[0] = await fleet.start('a', { weight: 50, zone: 'z1' });
  await settled(['a']);
});

test('the same can be said in the service config, next to what is said of retries', async () => {
  const config = {
    methodConfig: [{ name: [{}], timeout: '5s' }],
    loadBalancingConfig: [{ heddle: { policy: 'round_robin' } }],
  };
  const echo = client('discovery:///echo', { 'grpc.service_config': JSON.stringify(config) });
  await warm(echo, 3);
  assert.deepEqual(await spread(echo, 30), { a: 10, b: 10, c: 10 });
});

test('what grpc-js would pass over in silence is an error at once', () => {
  assert.throws(() => client('discovery:///echo?policy=fastest'), /expected one of round_robin/);
  assert.throws(() => client('discovery:///echo?sone=z1'), /expected one of version, zone/);
  assert.throws(() => client('discovery:////echo'), /expected a service name/);
  const config = JSON.stringify({ loadBalancingConfig: [{ heddle: { polcy: 'random' } }] });
  assert.throws(
    () => client('discovery:///echo', { 'grpc.service_config': config }),
    /grpc-js would fall back to pick_first.*polcy/,
  );
});

test('no instances: the error says what the registry knows', async () => {
  await assert.rejects(
    call(client('discovery:///echo?version=v9')),
    /no instances:.*3 outside of the subset/,
  );
});

test('a rolling restart under load fails no call and cuts no stream', { timeout: 60_000 }, async () => {
  const echo = client('discovery:///echo');
  await warm(echo, 3);
  let going = true;
  let answered = 0;
  const failures: unknown[] = [];
  const caller = async (): Promise<void> => {
    while (going) {
      try {
        await call(echo, { text: 'x', delayMs: 5 });
        answered++;
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const reader = async (): Promise<void> => {
    while (going) {
      let messages = 0;
      for await (const { instance } of echo.expand({ text: 's', count: 20, delayMs: 10 })) {
        assert.ok(instance);
        messages++;
      }
      assert.equal(messages, 20);
    }
  };
  const load = [...Array.from({ length: 8 }, caller), ...Array.from({ length: 4 }, reader)];
  for (const [at, server] of servers.entries()) {
    assert.equal(await server.stop(), 0);
    servers[at] = await fleet.start(server.id, { weight: 100 });
    const before = answered;
    await until(() => answered > before + 50);
  }
  going = false;
  await Promise.all(load);
  assert.deepEqual(failures, []);
});

test('a killed instance: calls go on elsewhere, and come back to it when it is there again', async () => {
  const echo = client('discovery:///echo');
  await warm(echo, 3);
  const [victim] = servers as [EchoProcess];
  victim.signal('SIGKILL');
  const seen = new Set<string>();
  let failed = 0;
  for (let n = 0; n < 300; n++) {
    await call(echo).then(
      ({ instance }) => seen.add(instance),
      () => failed++,
    );
  }
  // grpc-js hears of the lost connection before it sends the next call; one may have been on it.
  assert.ok(failed <= 1, `${failed} failed`);
  assert.ok(seen.has('b') && seen.has('c'));
  servers[0] = await fleet.start('a', { port: victim.port });
  await warm(echo, 3);
});
