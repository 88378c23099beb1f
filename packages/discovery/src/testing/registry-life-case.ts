import assert from 'node:assert/strict';
import { type Address, type Listener, type Runtime, sleep } from '@heddle/kernel';
import { emptyPushGuard } from '../guard/empty-push-guard.ts';
import type { DesiredRegistration, Registry } from '../registry/registry.ts';
import type { RegistryCase } from './registry-cases.ts';
import { type RegistryStage, seenWithin, until } from './registry-stage.ts';
import { recordWatch, type WatchRecord } from './watch-record.ts';

/** How long all of them may take to be registered again and seen: the longest back-off, and a very busy machine. */
const backWithinMs = 30_000;
const callEveryMs = 10;

/** An instance that can be called: it answers a byte by a byte. */
interface Living {
  readonly listener: Listener;
  readonly registry: Registry;
  readonly held: DesiredRegistration;
}

/** Counts of calls, in a loop that picks among what the watch shows. */
class Caller {
  calls = 0;
  failed = 0;
  toTheDead = 0;
  dead: number | undefined;
  readonly #runtime: Runtime;
  readonly #watch: WatchRecord;
  readonly #loop: Promise<void>;
  #stopped = false;

  constructor(runtime: Runtime, watch: WatchRecord) {
    this.#runtime = runtime;
    this.#watch = watch;
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      const instances = this.#watch.latest?.instances ?? [];
      const picked = instances[turn % Math.max(1, instances.length)];
      const answered =
        picked !== undefined && (await call(this.#runtime, { host: picked.address, port: picked.port }));
      if (picked?.port === this.dead) this.toTheDead += 1;
      else {
        this.calls += 1;
        if (!answered) this.failed += 1;
      }
      await sleep(this.#runtime.timers, callEveryMs);
    }
  }
}

async function call({ net, timers }: Runtime, address: Address): Promise<boolean> {
  const connection = await net.connect(address, { timeoutMs: 2000 }).catch(() => undefined);
  if (connection === undefined) return false;
  return new Promise((resolve) => {
    const limit = timers.after(2000, () => connection.destroy());
    let answered = false;
    connection.open({
      data: () => {
        answered = true;
        connection.destroy();
      },
      end: () => {},
      drain: () => {},
      close: () => {
        limit.cancel();
        resolve(answered);
      },
    });
    connection.write(Uint8Array.of(1));
  });
}

async function start(stage: RegistryStage, id: string): Promise<Living> {
  const listener = await stage.runtime.net.listen({ host: '127.0.0.1', port: 0 }, (connection) =>
    connection.open({
      data: (chunk) => connection.write(chunk),
      end: () => connection.destroy(),
      drain: () => {},
      close: () => {},
    }),
  );
  const registry = await stage.open();
  const { host, port } = listener.address;
  const held = await registry.register({ service: 'users', id, address: host, port });
  return { listener, registry, held };
}

/** The faults that a registry must survive, each to its end. */
function faultsOf(
  stage: RegistryStage,
  other: DesiredRegistration,
): Readonly<Record<string, () => Promise<void>>> {
  const { kill, restart, restartEmpty, cut, heal, delay, forgetHistory, jumpClock } = stage.faults;
  assert.ok(kill && restart && restartEmpty && cut && heal && delay, 'a case ran without its faults');
  const wait = (): Promise<void> => sleep(stage.runtime.timers, 1.5 * stage.ttlMs);
  return {
    'killed and restarted': async () => {
      await kill();
      await wait();
      await restart();
    },
    wiped: async () => {
      await kill();
      await wait();
      await restartEmpty();
    },
    'cut off': async () => {
      cut();
      await wait();
      heal();
    },
    slow: async () => {
      delay(stage.ttlMs / 2);
      await wait();
      delay(0);
    },
    ...(forgetHistory !== undefined && { 'history forgotten': forgetHistory }),
    ...(jumpClock !== undefined && {
      'clock an hour ahead, then behind': async () => {
        jumpClock(3_600_000);
        await wait();
        jumpClock(-7_200_000);
        await wait();
        jumpClock(3_600_000);
      },
    }),
    'another flaps': async () => {
      const registry = await stage.open();
      // It answers calls as long as it is seen: only its entry comes and goes.
      const { address, port } = other.instance;
      for (let turn = 0; turn < 10; turn++) {
        await registry.register({ service: 'users', id: 'flapping', address, port });
        await registry.deregister('users', 'flapping');
      }
      await registry.close();
    },
  };
}

/** "Calls to instances that still live go on; nothing registered stays lost; a dead one is out within TTL + 1 s." */
export const lifeCase: RegistryCase = {
  name: 'measured: through all faults calls to the living go on, nothing stays lost, and a dead one is out in time',
  needs: ['kill', 'restart', 'restartEmpty', 'cut', 'heal', 'delay'],
  uses: ['register', 'leases'],
  run: async (stage) => {
    const living = await Promise.all(['a', 'b', 'c'].map((id) => start(stage, id)));
    // The caller is guarded as those of the platform are.
    const reader = emptyPushGuard(await stage.open(), { runtime: stage.runtime });
    const watch = recordWatch(reader, 'users');
    const isWhole = (): boolean =>
      watch.ids === 'a,b,c' && watch.latest?.stale === false && watch.latest.heldBack === 0;
    await until(stage.runtime, 'all are seen', 2000 + seenWithin(stage), isWhole);
    const caller = new Caller(stage.runtime, watch);
    try {
      return await throughAll(stage, living, watch, isWhole, caller);
    } finally {
      await caller.stop();
      await Promise.all(living.map(({ listener }) => listener.close()));
    }
  },
};

async function throughAll(
  stage: RegistryStage,
  living: readonly Living[],
  watch: WatchRecord,
  isWhole: () => boolean,
  caller: Caller,
): Promise<string> {
  const { clock } = stage.runtime;
  const told: string[] = [];
  const [dying] = living;
  assert.ok(dying !== undefined);
  for (const [name, fault] of Object.entries(faultsOf(stage, dying.held))) {
    await fault();
    const sinceMs = clock.nowMs();
    await until(stage.runtime, `${name}: all are back`, backWithinMs, () => {
      return isWhole() && living.every(({ held }) => held.registered);
    });
    told.push(`${name}: all back after ${Math.round(clock.nowMs() - sinceMs)} ms`);
  }
  caller.dead = dying.listener.address.port;
  await stage.crash(dying.registry);
  await dying.listener.close();
  const sinceMs = clock.nowMs();
  await until(stage.runtime, 'the dead one is out', stage.ttlMs + 1000, () => watch.ids === 'b,c');
  told.push(`a dead one out after ${Math.round(clock.nowMs() - sinceMs)} ms (lease ${stage.ttlMs} ms)`);
  await caller.stop();
  await watch.stop();
  const { calls, failed } = caller;
  const measured = `${calls} calls to living instances, ${failed} failed; ${told.join('; ')}`;
  assert.equal(failed, 0, measured);
  return measured;
}
