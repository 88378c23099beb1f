import assert from 'node:assert/strict';
import { HeddleError } from '@heddle/kernel';
import { seededRandom } from '@heddle/kernel/simulated';
import type { InstanceInit } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import {
  type RegistryAbility,
  type RegistryDoors,
  type RegistryFaults,
  type RegistryStage,
  seenWithin,
  until,
} from './registry-stage.ts';
import { recordWatch } from './watch-record.ts';

/** One thing that every backend must do. */
export interface RegistryCase {
  readonly name: string;
  /** The faults and doors it works with; none if left out. */
  readonly needs?: readonly RegistryNeed[];
  /** Which abilities it is about; only `register` if left out. */
  readonly uses?: readonly RegistryAbility[];
  /** Shows that a lease is kept: one that is not the shortest possible says as much, and does not depend on an idle machine. */
  readonly keeps?: boolean;
  /** Keeps the whole process busy for a while: nothing else can run beside it. */
  readonly alone?: boolean;
  /** Passes unless it rejects. A text that it resolves to is what was measured. */
  run(stage: RegistryStage): Promise<unknown>;
}

/** Something of a stage that a case cannot do without. */
export type RegistryNeed = keyof RegistryFaults | keyof RegistryDoors;

/** Which of a case's needs a stage does not have. */
export function missingNeeds(one: RegistryCase, stage: RegistryStage): readonly RegistryNeed[] {
  const has: Partial<Record<RegistryNeed, unknown>> = { ...stage.faults, ...stage.doors };
  return (one.needs ?? []).filter((need) => has[need] === undefined);
}

const users: InstanceInit = { service: 'users', address: '10.0.0.1', port: 8080 };

/** An instance of the service `users`. */
export function user(id: string, more: Partial<InstanceInit> = {}): InstanceInit {
  return { ...users, id, ...more };
}

/** Ids of the instances of `users`, joined by commas. */
export async function userIds(registry: Registry): Promise<string> {
  const { instances } = await registry.instances('users');
  return instances.map(({ id }) => id).join();
}

/** Passes if the work rejects with this code and reason. */
export async function rejects(work: Promise<unknown>, code: string, reason: string): Promise<HeddleError> {
  try {
    await work;
  } catch (thrown) {
    assert.ok(thrown instanceof HeddleError, String(thrown));
    assert.deepEqual([thrown.code, thrown.reason], [code, reason], thrown.message);
    return thrown;
  }
  return assert.fail(`expected ${reason}`);
}

/** What must work while nothing fails. */
export const plainCases: readonly RegistryCase[] = [
  {
    name: 'every field of an instance survives the round trip',
    uses: ['register', 'fields'],
    run: async (stage) => {
      const writer = await stage.open();
      const full = {
        id: 'one',
        service: 'users',
        address: 'fe80::1',
        port: 65_535,
        version: 'v2',
        metadata: { 'team.name': 'Zürich 纺织', empty: '' },
        state: 'maintenance' as const,
        weight: 0,
        zone: 'z1',
        region: 'eu',
        tags: ['api', 'blue'],
        protocol: 'tcp' as const,
        health: 'warning' as const,
      };
      const held = await writer.register(full);
      assert.equal(held.registered, true, held.problem?.message ?? 'not registered');
      const reader = await stage.open();
      const [seen] = (await reader.instances('users')).instances;
      assert.ok(seen !== undefined);
      const { lastHeartbeatMs, ...rest } = seen;
      assert.deepEqual(rest, full);
      assert.ok(Math.abs(lastHeartbeatMs - stage.runtime.clock.wallMs()) < 60_000);
    },
  },
  {
    name: 'registering again replaces what was stated',
    run: async (stage) => {
      const registry = await stage.open();
      const held = await registry.register(user('a'));
      const again = await registry.register(user('a', { weight: 7, state: 'draining' }));
      assert.equal(again, held, 'it is the same registration');
      const { instances } = await registry.instances('users');
      assert.deepEqual(
        instances.map(({ id, weight, state }) => [id, weight, state]),
        [['a', 7, 'draining']],
      );
    },
  },
  {
    name: 'deregistering takes the entry away at once, and twice does no harm',
    run: async (stage) => {
      const registry = await stage.open();
      const held = await registry.register(user('a'));
      await registry.register(user('b'));
      await registry.deregister('users', 'a');
      await registry.deregister('users', 'a');
      assert.equal(await userIds(await stage.open()), 'b');
      assert.equal(held.registered, false);
    },
  },
  {
    name: 'services are listed while they have instances; an unknown one has none',
    uses: ['register', 'services'],
    run: async (stage) => {
      const registry = await stage.open();
      assert.deepEqual(await registry.services(), []);
      await registry.register(user('a', { service: 'zoo' }));
      await registry.register(user('a'));
      assert.deepEqual(await registry.services(), ['users', 'zoo']);
      await registry.deregister('zoo', 'a');
      assert.deepEqual(await registry.services(), ['users']);
      assert.deepEqual((await registry.instances('zoo')).instances, []);
    },
  },
  {
    name: 'bad input is refused with every field named, before anything is sent',
    run: async (stage) => {
      const registry = await stage.open();
      const bad = {
        service: '',
        address: 'a\nb',
        port: 70_000,
        weight: -1,
        state: 'odd',
      } as unknown as InstanceInit;
      const error = await rejects(registry.register(bad), 'invalid_argument', 'BAD_INSTANCE');
      assert.equal(error.sent, false);
      for (const field of ['service', 'address', 'port', 'weight', 'state'])
        assert.match(error.message, new RegExp(`${field}: `));
      await rejects(registry.instances('a/b'), 'invalid_argument', 'BAD_SERVICE_NAME');
      assert.throws(() => registry.watch(''), { reason: 'BAD_SERVICE_NAME' });
      assert.deepEqual(await registry.services(), []);
    },
  },
  {
    name: 'names and ids with every sign that means something in a path or a query are safe',
    run: async (stage) => {
      const registry = await stage.open();
      const ids = ['a/b', '../x', 'q?lease=z', '100%', 'ü & #', '%2F'];
      for (const id of ids) await registry.register(user(id));
      const { instances } = await registry.instances('users');
      assert.deepEqual(
        instances.map(({ id }) => id),
        ids.toSorted(),
      );
      for (const id of ids) await registry.deregister('users', id);
      assert.equal(await userIds(registry), '');
    },
  },
  {
    name: 'a watch begins with a full snapshot and tells every change',
    run: async (stage) => {
      const [writer, reader] = [await stage.open(), await stage.open()];
      await writer.register(user('a'));
      const watch = recordWatch(reader, 'users');
      const other = recordWatch(reader, 'orders');
      await until(
        stage.runtime,
        'the first snapshots',
        seenWithin(stage),
        () => watch.ids === 'a' && other.ids === '',
      );
      await writer.register(user('b'));
      await until(stage.runtime, 'b is seen', seenWithin(stage), () => watch.ids === 'a,b');
      await writer.register(user('b', { weight: 3 }));
      await until(
        stage.runtime,
        'the new weight is seen',
        seenWithin(stage),
        () => watch.latest?.instances[1]?.weight === 3,
      );
      await writer.deregister('users', 'a');
      await until(stage.runtime, 'a has gone', seenWithin(stage), () => watch.ids === 'b');
      assert.equal(other.snapshots.length, 1, 'other services are not its business');
      await Promise.all([watch.stop(), other.stop()]);
    },
  },
  {
    name: 'two watchers of 1,000 random changes agree with the registry at the end, and never go back',
    run: async (stage) => {
      const [writer, near, far] = [await stage.open(), await stage.open(), await stage.open()];
      const watches = [recordWatch(near, 'users'), recordWatch(far, 'users')];
      const random = seededRandom(7);
      for (let round = 0; round < 50; round++) {
        const changes = Array.from({ length: 20 }, () => {
          const id = `i${random.uint32() % 10}`;
          const leave = random.float() < 0.4;
          return leave
            ? writer.deregister('users', id)
            : writer.register(user(id, { weight: random.uint32() % 100 }));
        });
        await Promise.all(changes);
      }
      const last = await writer.instances('users');
      const expected = last.instances.map(({ id, weight }) => `${id}=${weight}`).join();
      for (const watch of watches) {
        const seen = (): string | undefined =>
          watch.latest?.instances.map(({ id, weight }) => `${id}=${weight}`).join();
        await until(
          stage.runtime,
          `the watch shows ${expected}`,
          3000 + seenWithin(stage),
          () => seen() === expected,
        );
        await watch.stop();
      }
    },
  },
  {
    name: 'a hundred watchers all hear of a change',
    run: async (stage) => {
      const [writer, reader] = [await stage.open(), await stage.open()];
      const watches = Array.from({ length: 100 }, () => recordWatch(reader, 'users'));
      await until(stage.runtime, 'all have begun', 3000 + seenWithin(stage), () =>
        watches.every(({ ids }) => ids === ''),
      );
      await writer.register(user('a'));
      await until(stage.runtime, 'all have heard', 3000 + seenWithin(stage), () =>
        watches.every(({ ids }) => ids === 'a'),
      );
      for (const watch of watches) await watch.stop();
    },
  },
  {
    name: 'a reader that was blocked gets the newest state and no backlog',
    run: async (stage) => {
      const [writer, reader] = [await stage.open(), await stage.open()];
      const watch = reader.watch('users');
      await watch.next();
      for (let weight = 0; weight < 20; weight++) await writer.register(user('a', { weight }));
      await until(stage.runtime, 'the last change has reached the reader', seenWithin(stage), async () => {
        const { value } = await watch.next();
        return value?.instances[0]?.weight === 19;
      });
      await watch.return?.();
    },
  },
  {
    name: 'a flapping instance leaves no trace but its last state',
    run: async (stage) => {
      const [writer, reader] = [await stage.open(), await stage.open()];
      const watch = recordWatch(reader, 'users');
      for (let round = 0; round < 50; round++) {
        await writer.register(user('a', { weight: round }));
        if (round < 49) await writer.deregister('users', 'a');
      }
      await until(
        stage.runtime,
        'the last state',
        seenWithin(stage),
        () => watch.latest?.instances[0]?.weight === 49,
      );
      await watch.stop();
    },
  },
  {
    name: 'a watch ends on its signal, when its reader leaves, and on close; after close all is refused',
    run: async (stage) => {
      const registry = await stage.open();
      const abort = new AbortController();
      const byAbort = registry.watch('users', abort.signal);
      await byAbort.next();
      const waiting = byAbort.next();
      abort.abort();
      assert.equal((await waiting).done, true);
      assert.equal((await registry.watch('users', abort.signal).next()).done, true);
      for await (const _first of registry.watch('users')) break;
      const byClose = registry.watch('users');
      await byClose.next();
      const last = byClose.next();
      await registry.close();
      await registry.close();
      assert.equal((await last).done, true);
      await rejects(registry.instances('users'), 'failed_precondition', 'REGISTRY_CLOSED');
      await rejects(registry.register(users), 'failed_precondition', 'REGISTRY_CLOSED');
    },
  },
  {
    name: 'closing takes back what was registered through it and nothing else',
    run: async (stage) => {
      const [leaving, staying] = [await stage.open(), await stage.open()];
      await leaving.register(user('a'));
      await staying.register(user('b'));
      await leaving.close();
      assert.equal(await userIds(staying), 'b');
    },
  },
  {
    name: 'a heartbeat reports health; one for what was not registered here is refused',
    uses: ['register', 'health'],
    run: async (stage) => {
      const registry = await stage.open();
      await registry.register(user('a'));
      const watch = recordWatch(registry, 'users');
      await registry.heartbeat('users', 'a', 'critical');
      await until(
        stage.runtime,
        'the health is seen',
        seenWithin(stage),
        () => watch.latest?.instances[0]?.health === 'critical',
      );
      await registry.heartbeat('users', 'a');
      assert.equal((await registry.instances('users')).instances[0]?.health, 'critical');
      await rejects(registry.heartbeat('users', 'b'), 'not_found', 'NOT_REGISTERED');
      await watch.stop();
    },
  },
];
