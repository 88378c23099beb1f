// EDS over ADS, at the control plane of Envoy's own library (go-control-plane): both protocols.
import assert from 'node:assert/strict';
import type { Registry } from '@heddle/discovery';
import {
  recordWatch,
  type RegistryCase,
  type RegistryStage,
  serverStage,
  until,
  type WatchRecord,
} from '@heddle/discovery/testing';
import { xdsRegistry } from '@heddle/discovery/xds';
import { nodeRuntime } from '@heddle/kernel/node';
import { seededRandom } from '@heddle/kernel/simulated';
import { obtain } from '../../engines/engine.ts';
import {
  startXdsControlPlane,
  type XdsControlPlane,
  xdsControlPlane,
} from '../../engines/xds-control-plane.ts';
import type { Contract } from '../result.ts';
import { discoveryContract } from './suite.ts';

type Protocol = 'state-of-the-world' | 'delta';

interface XdsStage extends RegistryStage {
  readonly plane: () => XdsControlPlane;
  readonly protocol: Protocol;
}

const absentMs = 500;
const unwritten = 'a control plane is configured, not registered at';
const perServer = 'the library serves plain text on 127.0.0.1 here; TLS and addresses are those of the wire';

/** All of EDS. */
export const xds: Contract = discoveryContract({
  backend: 'xds',
  prepare: () => obtain(xdsControlPlane),
  stages: { 'state of the world': () => stageOf('state-of-the-world'), delta: () => stageOf('delta') },
  lacks: { register: unwritten, services: 'EDS answers for names that are asked for and lists none' },
  cannot: { auth: perServer, tls: perServer, ipv6: perServer },
  more: [
    {
      name: 'locality, health, weights and priorities of endpoints become those of instances',
      uses: [],
      run: async (stage) => {
        const { plane } = of(stage);
        await plane().set('users', {
          clusterName: 'users',
          endpoints: [
            locality(
              0,
              [endpoint(1, { loadBalancingWeight: 3 }), endpoint(2, { healthStatus: 'DRAINING' })],
              'z1',
            ),
            locality(1, [endpoint(3)], 'z2'),
          ],
        });
        const { instances } = await (await stage.open()).instances('users');
        assert.deepEqual(
          instances.map(({ port, weight, zone, region, state }) => [port, weight, zone, region, state]),
          [
            [1, 3, 'z1', 'eu', 'running'],
            [2, 1, 'z1', 'eu', 'draining'],
            [3, 0, 'z2', 'eu', 'running'],
          ],
        );
      },
    },
    {
      name: 'what is taken is acknowledged with its version and nonce; what is not is refused, and the rest taken',
      uses: [],
      run: async (stage) => {
        const { plane, protocol } = of(stage);
        await plane().set('users', assignment(1));
        const registry = await stage.open();
        const [watch, other] = [recordWatch(registry, 'users'), recordWatch(registry, 'orders')];
        await until(stage.runtime, 'the first', 3000, () => ports(watch) === '1');
        await plane().set('orders', { clusterName: 'orders', endpoints: [locality(1, [endpoint(9)])] });
        const errors: string[] = [];
        await until(stage.runtime, 'the refusal is heard', 3000, async () => {
          for (const { error, nonce } of await plane().log())
            if (error !== undefined)
              errors.push(`${nonce === '' ? 'without a nonce' : 'with its nonce'}: ${error}`);
          return errors.length > 0;
        });
        assert.match(errors.join(), /^with its nonce: .*cluster "orders": no locality has priority 0/);
        assert.equal(other.latest?.instances.length ?? 0, 0);
        await plane().set('orders', { clusterName: 'orders', endpoints: [locality(0, [endpoint(9)])] });
        await until(stage.runtime, 'the right one is taken', 3000, () => ports(other) === '9');
        // What was taken is visible here before its acknowledgement is visible there.
        await until(stage.runtime, 'the acknowledgement is heard', 3000, async () => {
          const said = await plane().log();
          assert.ok(said.every(({ delta }) => delta === (protocol === 'delta')));
          return said.some(({ nonce, error }) => nonce !== '' && error === undefined);
        });
        await Promise.all([watch.stop(), other.stop()]);
      },
    },
    {
      name: 'two watchers of 1,000 random changes end with what the control plane has',
      uses: [],
      run: async (stage) => {
        const { plane } = of(stage);
        const [near, far] = [await stage.open(), await stage.open()];
        const watches = [recordWatch(near, 'users'), recordWatch(far, 'users')];
        const random = seededRandom(11);
        let last: readonly number[] = [];
        for (let change = 0; change < 1000; change++) {
          last = [1, 2, 3, 4, 5, 6, 7, 8, 9].filter(() => random.float() < 0.5);
          await plane().set('users', assignment(...last));
        }
        for (const watch of watches) {
          await until(
            stage.runtime,
            `the watch shows ${last.join()}`,
            5000,
            () => ports(watch) === last.join(),
          );
          await watch.stop();
        }
      },
    },
    {
      name: 'a name that the control plane does not know has no instances, and gets them when it does',
      uses: [],
      run: async (stage) => {
        const { plane } = of(stage);
        const registry = await stage.open();
        assert.deepEqual((await registry.instances('nobody')).instances, []);
        const watch = recordWatch(registry, 'users');
        await until(stage.runtime, 'it is known to be empty', 3000, () => watch.ids === '');
        await plane().set('users', assignment(1));
        await until(stage.runtime, 'it has one', 3000, () => ports(watch) === '1');
        await watch.stop();
      },
    },
    {
      name: 'connections dropped: watches go on, nothing is lost, and all is asked for anew',
      uses: [],
      run: async (stage) => {
        const { plane } = of(stage);
        await plane().set('users', assignment(1, 2));
        const watch = recordWatch(await stage.open(), 'users');
        await until(stage.runtime, 'the first', 3000, () => ports(watch) === '1,2');
        await plane().drop();
        await plane().set('users', assignment(2, 3));
        await until(stage.runtime, 'the change', 8000, () => ports(watch) === '2,3');
        assert.ok(watch.snapshots.every(({ instances }) => instances.length === 2));
        await watch.stop();
      },
    },
    {
      name: 'control plane killed and started again: what is known stays, stale, and is then what the new one says',
      uses: [],
      needs: ['kill', 'restartEmpty'],
      run: async (stage) => {
        const { plane } = of(stage);
        await plane().set('users', assignment(1, 2));
        const registry = await stage.open();
        const watch = recordWatch(registry, 'users');
        await until(stage.runtime, 'the first', 3000, () => ports(watch) === '1,2');
        await need(stage.faults.kill)();
        await until(stage.runtime, 'stale', 8000, () => watch.latest?.stale === true);
        assert.equal(ports(watch), '1,2');
        assert.equal(registry.problem?.code, 'unavailable');
        await need(stage.faults.restartEmpty)();
        await plane().set('users', assignment(2));
        await until(
          stage.runtime,
          'fresh',
          8000,
          () => ports(watch) === '2' && watch.latest?.stale === false,
        );
        assert.equal(registry.problem, undefined);
        await watch.stop();
      },
    },
    {
      name: 'a control plane that takes as long as a lease to answer is slow, not lost',
      uses: [],
      needs: ['delay'],
      run: async (stage) => {
        const { plane } = of(stage);
        await plane().set('users', assignment(1));
        const watch = recordWatch(await stage.open(), 'users');
        await until(stage.runtime, 'the first', 3000, () => ports(watch) === '1');
        need(stage.faults.delay)(1000);
        await plane().set('users', assignment(1, 2));
        await until(stage.runtime, 'the change', 5000, () => ports(watch) === '1,2');
        assert.ok(watch.snapshots.every(({ stale }) => !stale));
        await watch.stop();
      },
    },
    {
      name: 'a resource that is taken away leaves its service empty',
      uses: [],
      run: async (stage) => {
        const { plane, protocol } = of(stage);
        await plane().set('users', assignment(1));
        const watch = recordWatch(await stage.open(), 'users');
        await until(stage.runtime, 'the first', 3000, () => ports(watch) === '1');
        // The first protocol has no word for it: a control plane sends an assignment without endpoints.
        if (protocol === 'delta') await plane().remove('users');
        else await plane().set('users', { clusterName: 'users' });
        await until(stage.runtime, 'it is empty', 3000, () => watch.ids === '');
        await watch.stop();
      },
    },
  ] satisfies RegistryCase[],
});

function of(stage: RegistryStage): XdsStage {
  return stage as XdsStage;
}

function need<T>(fault: T | undefined): T {
  assert.ok(fault !== undefined);
  return fault;
}

function ports(watch: WatchRecord): string | undefined {
  return watch.latest?.instances.map(({ port }) => port).join();
}

function endpoint(port: number, more: object = {}): object {
  return { endpoint: { address: { socketAddress: { address: '10.0.0.1', portValue: port } } }, ...more };
}

function locality(priority: number, lbEndpoints: readonly object[], zone = 'z1'): object {
  return { locality: { region: 'eu', zone }, priority, lbEndpoints };
}

function assignment(...all: readonly number[]): object {
  return {
    clusterName: 'users',
    endpoints:
      all.length === 0
        ? []
        : [
            locality(
              0,
              all.map((port) => endpoint(port)),
            ),
          ],
  };
}

async function stageOf(protocol: Protocol): Promise<RegistryStage> {
  let plane = await startXdsControlPlane();
  const { host, port } = plane.address;
  const runtime = { ...nodeRuntime({ name: 'client' }), log: (): void => {} };
  const stage = await serverStage({
    runtime,
    ttlMs: 1000,
    target: () => ({ host, port }),
    open: (own, address): Registry =>
      xdsRegistry({ runtime: own, addresses: [address], node: { id: 'test' }, protocol, absentMs }),
    faults: {
      kill: async () => {
        process.kill(plane.pid, 'SIGKILL');
        await plane.stop();
      },
      restartEmpty: async () => {
        plane = await startXdsControlPlane(`${host}:${port}`);
      },
    },
    end: () => plane.stop(),
  });
  const more: Pick<XdsStage, 'plane' | 'protocol'> = { plane: () => plane, protocol };
  return Object.assign(stage, more);
}
