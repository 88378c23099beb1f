import assert from 'node:assert/strict';
import type { HeddleError, Runtime } from '@heddle/kernel';
import { ConfigCentre } from '../centre/config-centre.ts';
import { ConfigClient } from '../client/config-client.ts';
import type { StandardSchema } from '../client/standard-schema.ts';
import { readPlace } from '../place/place.ts';
import { RemoteStore } from '../remote/remote-store.ts';
import { seal } from '../secret/envelope.ts';
import { readKeyRing } from '../secret/key-ring.ts';
import type { Secret } from '../secret/secret.ts';
import { configService } from '../server/config-service.ts';
import { isIn } from '../version/audience.ts';
import type { ConfigCase } from './config-case.ts';
import type { ConfigStage } from './config-stage.ts';
import type { ConfigStore } from '../store/config-store.ts';
import { Followed, until } from './followed.ts';

const place = readPlace('prod/shop/order');
const tokens = { readToken: 'read-token-of-the-tests', writeToken: 'write-token-of-the-tests' } as const;
const by = { author: 'tests', comment: 'because' } as const;

interface Limits {
  readonly max: number;
  readonly secret?: Secret;
}

/** `max` must be a number; written by hand, since no validator is installed here. */
const limitsSchema: StandardSchema<Limits> = {
  '~standard': {
    version: 1,
    vendor: 'tests',
    validate: (value) => {
      const { max } = value as { readonly max?: unknown };
      if (typeof max === 'number') return { value: value as Limits };
      return { issues: [{ message: 'expected a number', path: ['max'] }] };
    },
  },
};

/** What the centre and its clients promise on every backend. */
export const clientCases: readonly ConfigCase[] = [
  {
    name: '500 clients see every change in order, also across a restart of the centre',
    run: async (stage) => {
      const served = await serve(stage);
      const stores = Array.from({ length: 500 }, () => remote(stage, served.address, tokens.readToken));
      const clients = stores.map((store) => Followed.begin(stage.runtime, store, place));
      const took: number[] = [];
      try {
        for (let change = 1; change <= 10; change++) {
          if (change === 6) await served.restart();
          const { version } = await served.centre.change(place, publish(change), by);
          const changedMs = stage.runtime.clock.nowMs();
          await Promise.all(
            clients.map(async (client) => {
              await client.reaches(version);
              took.push(stage.runtime.clock.nowMs() - changedMs);
            }),
          );
        }
        for (const client of clients) client.assertWhole(10);
      } finally {
        await Promise.all(clients.map((client) => client.end()));
        await Promise.all(stores.map((store) => store.close()));
        await served.stop();
      }
      // The tenth of the times that a restart is in says nothing of a change.
      const sorted = took.toSorted((one, other) => one - other);
      const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0);
      return `from a change to a client: median ${at(0.5)} ms, p90 ${at(0.9)} ms, with the restart p99 ${at(0.99)} ms`;
    },
  },
  {
    name: 'a gray release reaches exactly its audience, and all when it is promoted',
    run: async (stage) => {
      const store = await stage.open();
      const centre = new ConfigCentre({ runtime: stage.runtime, store });
      await centre.change(place, publish(1), by);
      const audience = { instances: ['order-7'], percent: 20 };
      const names = Array.from({ length: 100 }, (_, at) => `order-${at}`);
      const clients = await started(stage, names);
      await centre.change(place, { action: 'gray', audience, set: { max: 2 } }, by);
      await reach(stage, clients, 2);
      const gray = clients.filter(({ client }) => client.current.max === 2).map(({ name }) => name);
      assert.deepEqual(
        gray,
        names.filter((name) => isIn(audience, name, place)),
      );
      assert.ok(gray.includes('order-7') && gray.length > 5 && gray.length < 40, `${gray.length} of 100`);
      await assert.rejects(centre.change(place, publish(3), by), { reason: 'GRAY_RELEASE_RUNS' });
      await centre.change(place, { action: 'promote' }, by);
      await reach(stage, clients, 3);
      assert.ok(clients.every(({ client }) => client.current.max === 2));
      await Promise.all(clients.map(({ client }) => client.stop()));
      return undefined;
    },
  },
  {
    name: 'what a schema refuses is not published, and a client keeps what it had',
    run: async (stage) => {
      const store = await stage.open();
      const strict = new ConfigCentre({ runtime: stage.runtime, store, schemaOf: () => limitsSchema });
      await strict.change(place, publish(1), by);
      await assert.rejects(strict.change(place, { action: 'publish', set: { max: 'many' } }, by), {
        reason: 'SCHEMA_REFUSES',
        message: /max: expected a number/,
      });
      assert.equal((await store.head(place))?.version, 1);
      // A centre that knows no schema lets it through; the client's own refuses it.
      const lax = new ConfigCentre({ runtime: stage.runtime, store });
      const [only] = await started(stage, ['order-1']);
      assert.ok(only !== undefined);
      await lax.change(place, { action: 'publish', set: { max: 'many' } }, by);
      await until(
        stage.runtime,
        'the client refuses it',
        60_000,
        () => only.client.state.refused !== undefined,
      );
      assert.equal(only.client.current.max, 1);
      assert.match(
        only.client.state.refused?.message ?? '',
        /max \(centre, prod\/shop\/order version 2\): expected a number/,
      );
      await lax.change(place, publish(3), by);
      await reach(stage, [only], 3);
      assert.equal(only.client.state.refused, undefined);
      await only.client.stop();
      return undefined;
    },
  },
  {
    name: 'a rollback brings an earlier version back as a new one, and the history tells who and why',
    run: async (stage) => {
      const centre = new ConfigCentre({ runtime: stage.runtime, store: await stage.open() });
      await centre.change(place, { action: 'publish', set: { max: 1, old: true } }, by);
      await centre.change(place, { action: 'publish', set: { max: 2 }, remove: ['old'] }, by);
      const words = { author: 'anna', comment: 'too many' };
      const back = await centre.rollback(place, 1, words);
      assert.deepEqual([back.version, back.values], [3, { max: 1, old: true }]);
      const head = await centre.version(place, 3);
      assert.deepEqual([head.author, head.comment, head.action], ['anna', 'too many', 'rollback']);
      assert.deepEqual(await centre.differences(place, 1, 3), []);
      assert.deepEqual(await centre.differences(place, 2, 3), [
        { key: 'max', before: 2, after: 1 },
        { key: 'old', after: true },
      ]);
      await assert.rejects(centre.rollback(place, 9, words), { reason: 'NO_SUCH_VERSION' });
      return undefined;
    },
  },
  {
    name: 'without the centre a client starts from its last good copy, and catches up when it is back',
    run: async (stage) => {
      const served = await serve(stage);
      await served.centre.change(place, publish(1), by);
      const before = clientOf(stage, remote(stage, served.address, tokens.readToken), 'order-1');
      await before.client.start();
      await before.client.stop();
      await before.store.close();
      await served.pause();
      const again = clientOf(stage, remote(stage, served.address, tokens.readToken), 'order-1', before.disk);
      await again.client.start();
      assert.deepEqual([again.client.current.max, again.client.state.source], [1, 'last-good']);
      const fresh = clientOf(stage, again.store, 'order-2');
      await assert.rejects(
        fresh.client.start(),
        (error: HeddleError) => error.code === 'unavailable' || error.code === 'deadline_exceeded',
      );
      await served.resume();
      await served.centre.change(place, publish(2), by);
      await reach(stage, [again], 2);
      assert.deepEqual([again.client.current.max, again.client.state.source], [2, 'centre']);
      await again.client.stop();
      await again.store.close();
      await served.stop();
      return undefined;
    },
  },
  {
    name: 'a secret opens for its place and key alone, and is in clear nowhere',
    run: async (stage) => {
      const clear = 'correct horse battery staple';
      const keys = readKeyRing(`first:${'1f'.repeat(32)}`);
      const centre = new ConfigCentre({ runtime: stage.runtime, store: await stage.open() });
      const sealed = seal(clear, 'prod/shop/order secret', keys, stage.runtime.random);
      await centre.change(place, { action: 'publish', set: { max: 1, secret: sealed } }, by);
      const { client, disk, lines } = clientOf(stage, await stage.open(), 'order-1', undefined, keys);
      await client.start();
      assert.equal(client.current.secret?.reveal(), clear);
      assert.equal(JSON.stringify(client.current), '{"max":1,"secret":"[secret]"}');
      await centre.change(
        place,
        {
          action: 'publish',
          set: { secret: seal(clear, 'prod/shop/order other', keys, stage.runtime.random) },
        },
        by,
      );
      await until(
        stage.runtime,
        'a moved secret is refused',
        60_000,
        () => client.state.refused !== undefined,
      );
      assert.equal(client.current.secret?.reveal(), clear);
      await client.stop();
      const everywhere = [
        await stage.contents(),
        ...disk.values(),
        ...lines,
        client.state.refused?.message ?? '',
      ].join('\n');
      assert.ok(everywhere.includes('dataKey'), 'the sealed one is there');
      assert.ok(!everywhere.includes(clear), 'the clear one is not');
      return undefined;
    },
  },
];

function publish(max: number): { readonly action: 'publish'; readonly set: { readonly max: number } } {
  return { action: 'publish', set: { max } };
}

function remote(stage: ConfigStage, address: RemoteAddress, token: string): RemoteStore {
  return new RemoteStore({ runtime: stage.runtime, addresses: [address], token });
}

type RemoteAddress = { readonly host: string; readonly port: number };

/** A centre that is served, and goes away and comes back at its address. */
async function serve(stage: ConfigStage): Promise<{
  readonly centre: ConfigCentre;
  readonly address: RemoteAddress;
  readonly pause: () => Promise<void>;
  readonly resume: () => Promise<void>;
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}> {
  const centre = new ConfigCentre({ runtime: stage.runtime, store: await stage.open() });
  const begin = async (
    at?: RemoteAddress,
  ): Promise<{ address: RemoteAddress; stop: () => Promise<void> }> => {
    const { service, close } = configService({ runtime: stage.runtime, centre, ...tokens });
    const server = await stage.serve(service, at);
    return {
      address: server.address,
      stop: async () => {
        close();
        await server.stop();
      },
    };
  };
  let server = await begin();
  const { address } = server;
  const pause = (): Promise<void> => server.stop();
  const resume = async (): Promise<void> => {
    server = await begin(address);
  };
  const restart = async (): Promise<void> => {
    await pause();
    await resume();
  };
  return { centre, address, pause, resume, restart, stop: () => server.stop() };
}

interface TestClient {
  readonly name: string;
  readonly client: ConfigClient<Limits>;
  readonly store: ConfigStore;
  /** Its files. */
  readonly disk: Map<string, string>;
  /** What it has logged. */
  readonly lines: string[];
}

/** A client with a disk of its own. */
function clientOf(
  stage: ConfigStage,
  store: ConfigStore,
  name: string,
  disk: Map<string, string> = new Map(),
  keys?: ReturnType<typeof readKeyRing>,
): TestClient {
  const lines: string[] = [];
  const runtime: Runtime = {
    ...stage.runtime,
    log: (level, text, fields) => void lines.push(JSON.stringify([level, text, fields])),
    disk: {
      ...stage.runtime.disk,
      read: async (path) => (disk.has(path) ? new TextEncoder().encode(disk.get(path)) : undefined),
      replace: async (path, bytes) => void disk.set(path, new TextDecoder().decode(bytes)),
    },
  };
  const client = new ConfigClient({
    runtime,
    schema: limitsSchema,
    instance: name,
    centre: { store, places: [place] },
    startMs: 10_000,
    ...(keys !== undefined && { keys }),
  });
  return { name, client, store, disk, lines };
}

/** Clients of one store object each, as many processes have; in tens, since each asks the backend. */
async function started(stage: ConfigStage, names: readonly string[]): Promise<readonly TestClient[]> {
  const store = await stage.open();
  const clients = names.map((name) => clientOf(stage, store, name));
  for (let at = 0; at < clients.length; at += 10)
    await Promise.all(clients.slice(at, at + 10).map(({ client }) => client.start()));
  return clients;
}

async function reach(stage: ConfigStage, clients: readonly TestClient[], version: number): Promise<void> {
  const has = ({ client }: TestClient): boolean => client.state.versions.get('prod/shop/order') === version;
  await until(stage.runtime, `all clients use version ${version}`, 60_000, () => clients.every(has));
}
