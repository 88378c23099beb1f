// Three members of etcd: what the loss of the one that is asked, and of most of them, does to registrations and watches.
import assert from 'node:assert/strict';
import type { Registry } from '@heddle/discovery';
import { etcdRegistry } from '@heddle/discovery/etcd';
import { recordWatch, type RegistryCase, until, user, userIds } from '@heddle/discovery/testing';
import { nodeRuntime } from '@heddle/kernel/node';
import { etcd } from '../../engines/etcd.ts';
import { freePlace, freePorts } from '../../engines/running.ts';
import { Members } from './members.ts';

const ttlMs = 20_000;
// A new leader has to be elected, on a busy machine.
const electedWithinMs = 30_000;
const runtime = { ...nodeRuntime({ name: 'client' }), log: (): void => {} };

/** The case; it has servers of its own. */
export function clusterCase(): RegistryCase {
  return {
    name: 'three endpoints: one that is down is passed over, the one in use killed costs no lease, and without a majority nothing is lost',
    uses: ['register', 'leases'],
    run: async () => {
      const ports = await freePorts(6);
      const places = ports.slice(0, 3).map((port) => ({ host: '127.0.0.1', port }));
      const peerPorts = ports.slice(3);
      const members = new Members('etcd-cluster', places, (at, address, folder) =>
        etcd.start({ address, folder, cluster: { at, peerPorts } }),
      );
      try {
        await members.startAll();
        return await throughLosses(members);
      } finally {
        await members.end();
      }
    },
  };
}

async function throughLosses(members: Members): Promise<string> {
  // First nobody; the next one is that which all ask.
  const addresses = [await freePlace(), ...members.places];
  const open = (): Registry => etcdRegistry({ runtime, addresses, ttlMs, timeoutMs: 4000, maxBlockedMs: 0 });
  const [writer, reader] = [open(), open()];
  try {
    const held = await writer.register(user('a'));
    assert.equal(held.problem, undefined, held.problem?.message ?? '');
    const watch = recordWatch(reader, 'users');
    await until(runtime, 'a is seen', electedWithinMs, () => watch.ids === 'a');
    const writtenMs = watch.latest?.instances[0]?.lastHeartbeatMs;
    const flips: boolean[] = [];
    held.subscribe((registered) => flips.push(registered));

    await members.kill(0);
    const killedMs = runtime.clock.nowMs();
    const second = await writer.register(user('b'));
    await until(runtime, 'b is registered', electedWithinMs, () => second.registered);
    await until(runtime, 'b is seen', electedWithinMs, () => watch.ids === 'a,b');
    const tookMs = Math.round(runtime.clock.nowMs() - killedMs);
    const [first] = (await reader.instances('users')).instances;
    assert.deepEqual(
      [first?.lastHeartbeatMs, held.registered, flips],
      [writtenMs, true, []],
      'the same lease',
    );

    await members.kill(1);
    const third = await writer.register(user('c'));
    assert.equal(third.registered, false, 'there is no majority');
    await assert.rejects(userIds(reader), 'one member alone does not answer');
    assert.equal(watch.ids, 'a,b', 'what was known is kept');
    await members.startOne(1);
    await until(runtime, 'c is registered', electedWithinMs, () => third.registered && held.registered);
    const isWhole = (): boolean => watch.ids === 'a,b,c' && watch.latest?.stale === false;
    await until(runtime, 'all are seen', electedWithinMs, isWhole);
    await watch.stop();
    return `the endpoint in use killed: a new instance was registered and seen ${tookMs} ms later (lease ${ttlMs} ms)`;
  } finally {
    await Promise.all([writer.close(), reader.close()]);
  }
}
