// Three ZooKeeper servers: what the loss of one, and of most of them, does to registrations and watches.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { recordWatch, type RegistryCase, until, user } from '@heddle/discovery/testing';
import { zooKeeperRegistry } from '@heddle/discovery/zookeeper';
import { nodeRuntime } from '@heddle/kernel/node';
import { dataFolder } from '../../engines/cache.ts';
import type { Place, Running } from '../../engines/engine.ts';
import { freePlace, freePorts } from '../../engines/running.ts';
import { zooKeeper, type ZooKeeperMember, zooKeeperMode } from '../../engines/zookeeper.ts';

const ttlMs = 10_000;
// A new leader has to be elected, on a busy machine.
const electedWithinMs = 20_000;
const runtime = { ...nodeRuntime({ name: 'client' }), log: (): void => {} };

/** An ensemble of three, each of which can be killed and comes back. */
class Ensemble {
  readonly places: Place[] = [];
  readonly #folders: string[] = [];
  readonly #members: ZooKeeperMember[] = [];
  readonly #running: (Running | undefined)[] = [];

  async start(): Promise<void> {
    const ports = await freePorts(9);
    for (let at = 0; at < 9; at += 3) {
      const [port = 0, quorumPort = 0, electionPort = 0] = ports.slice(at, at + 3);
      this.places.push({ host: '127.0.0.1', port });
      this.#folders.push(dataFolder('zookeeper-ensemble'));
      this.#members.push({ quorumPort, electionPort });
    }
    await Promise.all(this.places.map((_, at) => this.startOne(at)));
  }

  async startOne(at: number): Promise<void> {
    const [address, folder] = [this.places[at], this.#folders[at]];
    assert.ok(address !== undefined && folder !== undefined);
    const ensemble = { at, members: this.#members };
    this.#running[at] = await zooKeeper.start({ address, folder, ensemble });
  }

  /** Which of them leads. */
  async leader(): Promise<number> {
    const modes = await Promise.all(this.places.map(zooKeeperMode));
    return modes.indexOf('leader');
  }

  async kill(at: number): Promise<void> {
    const running = this.#running[at];
    if (running === undefined) return;
    this.#running[at] = undefined;
    process.kill(running.pid, 'SIGKILL');
    await running.stop();
  }

  async end(): Promise<void> {
    await Promise.all(this.#running.map((_, at) => this.kill(at)));
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }
}

/** The case; it has servers of its own. */
export function ensembleCase(): RegistryCase {
  return {
    name: 'three servers: one that is down is passed over, a killed leader costs no session, and without a majority nothing is lost',
    uses: ['register', 'leases'],
    run: async () => {
      const ensemble = new Ensemble();
      try {
        await ensemble.start();
        return await throughLosses(ensemble);
      } finally {
        await ensemble.end();
      }
    },
  };
}

async function throughLosses(ensemble: Ensemble): Promise<string> {
  const leader = await ensemble.leader();
  assert.ok(leader >= 0, 'there is no leader');
  const others = [0, 1, 2].filter((at) => at !== leader);
  // First nobody, then the leader, so that both clients are with it.
  const addresses = [await freePlace(), ...[leader, ...others].flatMap((at) => ensemble.places[at] ?? [])];
  const open = () => zooKeeperRegistry({ runtime, addresses, ttlMs, timeoutMs: 4000, maxBlockedMs: 0 });
  const [writer, reader] = [open(), open()];
  const held = await writer.register(user('a'));
  assert.equal(held.problem, undefined, held.problem?.message ?? '');
  const watch = recordWatch(reader, 'users');
  await until(runtime, 'a is seen', ttlMs, () => watch.ids === 'a');
  const writtenMs = watch.latest?.instances[0]?.lastHeartbeatMs;
  const flips: boolean[] = [];
  held.subscribe((registered) => flips.push(registered));

  await ensemble.kill(leader);
  const killedMs = runtime.clock.nowMs();
  const second = await writer.register(user('b'));
  await until(runtime, 'b is registered', electedWithinMs, () => second.registered);
  await until(runtime, 'b is seen', electedWithinMs, () => watch.ids === 'a,b');
  const tookMs = Math.round(runtime.clock.nowMs() - killedMs);
  const [first] = (await reader.instances('users')).instances;
  assert.deepEqual([first?.lastHeartbeatMs, held.registered, flips], [writtenMs, true, []], 'the same node');

  await ensemble.kill(others[0] ?? 0);
  const third = await writer.register(user('c'));
  assert.equal(third.registered, false, 'there is no majority');
  assert.equal(watch.ids, 'a,b', 'what was known is kept');
  await ensemble.startOne(others[0] ?? 0);
  await until(runtime, 'c is registered', electedWithinMs, () => third.registered && held.registered);
  const isWhole = (): boolean => watch.ids === 'a,b,c' && watch.latest?.stale === false;
  await until(runtime, 'all are seen', electedWithinMs, isWhole);
  await watch.stop();
  await Promise.all([writer.close(), reader.close()]);
  return `the leader killed: a new instance was registered and seen ${tookMs} ms later (session ${ttlMs} ms)`;
}
