// Three ZooKeeper servers: what the loss of one, and of most of them, does to registrations and watches.
import assert from 'node:assert/strict';
import { recordWatch, type RegistryCase, until, user } from '@heddle/discovery/testing';
import { zooKeeperRegistry } from '@heddle/discovery/zookeeper';
import { nodeRuntime } from '@heddle/kernel/node';
import { freePlace, freePorts } from '../../engines/running.ts';
import { zooKeeper, type ZooKeeperMember, zooKeeperMode } from '../../engines/zookeeper.ts';
import { Members } from './members.ts';

const ttlMs = 10_000;
// A new leader has to be elected, on a busy machine.
const electedWithinMs = 20_000;
const runtime = { ...nodeRuntime({ name: 'client' }), log: (): void => {} };

/** Members of an ensemble of three. */
async function threeMembers(): Promise<Members> {
  const ports = await freePorts(9);
  const places = ports.slice(0, 3).map((port) => ({ host: '127.0.0.1', port }));
  const members: ZooKeeperMember[] = places.map((_, at) => ({
    quorumPort: ports[3 + at] ?? 0,
    electionPort: ports[6 + at] ?? 0,
  }));
  return new Members('zookeeper-ensemble', places, (at, address, folder) =>
    zooKeeper.start({ address, folder, ensemble: { at, members } }),
  );
}

/** Which of them leads. */
async function leaderOf({ places }: Members): Promise<number> {
  const modes = await Promise.all(places.map(zooKeeperMode));
  return modes.indexOf('leader');
}

/** The case; it has servers of its own. */
export function ensembleCase(): RegistryCase {
  return {
    name: 'three servers: one that is down is passed over, a killed leader costs no session, and without a majority nothing is lost',
    uses: ['register', 'leases'],
    run: async () => {
      const ensemble = await threeMembers();
      try {
        await ensemble.startAll();
        return await throughLosses(ensemble);
      } finally {
        await ensemble.end();
      }
    },
  };
}

async function throughLosses(ensemble: Members): Promise<string> {
  const leader = await leaderOf(ensemble);
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
