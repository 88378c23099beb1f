// DNS, on BIND: a zone that is changed while it is watched.
import assert from 'node:assert/strict';
import type { Registry } from '@heddle/discovery';
import { type Datagrams, type DnsQuestion, dnsRegistry, nodeDatagrams } from '@heddle/discovery/dns';
import {
  recordWatch,
  type RegistryCase,
  type RegistryStage,
  serverStage,
  until,
} from '@heddle/discovery/testing';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Bind9, bind9, nsupdate, startBind9 } from '../../engines/bind9.ts';
import { consul } from '../../engines/consul.ts';
import { isMissing, obtain } from '../../engines/engine.ts';
import { freePort } from '../../engines/running.ts';
import type { Contract } from '../result.ts';
import { discoveryContract } from './suite.ts';

interface DnsStage extends RegistryStage {
  readonly server: () => Bind9;
  /** How many datagrams were sent. */
  readonly asked: () => number;
  /** Another way to ask. */
  readonly openBy: (question: (service: string) => DnsQuestion) => Registry;
}

const runtime = { ...nodeRuntime({ name: 'client' }), log: (): void => {} };
const readOnly = 'DNS is written to by the tools of its server';
const perServer = 'DNS has no users, and the server listens on 127.0.0.1';
const many = Array.from({ length: 100 }, (_, at) => `many 20 A 10.1.0.${at + 1}`);
const records = [
  'one 20 A 10.0.0.1',
  'two 20 A 10.0.0.2',
  'two 20 AAAA fd00::2',
  'alias 20 CNAME two',
  '_users._tcp 2 SRV 1 30 7001 one',
  '_users._tcp 2 SRV 1 10 7002 two',
  '_users._tcp 2 SRV 5 10 7003 one',
  '_gone._tcp 2 SRV 0 0 0 .',
  ...many,
];

const lacks = { register: readOnly, services: 'DNS answers for names that are asked for and lists none' };
const cannot = { auth: perServer, tls: perServer, ipv6: perServer };

/** On BIND. */
const onBind = discoveryContract({
  backend: 'dns',
  prepare: async () => {
    const tool = await obtain(nsupdate);
    return isMissing(tool) ? tool : obtain(bind9);
  },
  stages: { '': stageOf },
  lacks,
  cannot,
  more: [
    {
      name: 'SRV: priority chooses, weight shares, targets have addresses of both families',
      uses: [],
      run: async (stage) => {
        const { instances } = await (await stage.open()).instances('users');
        assert.deepEqual(
          instances.map(({ id, weight, metadata }) => `${id} ${weight} ${metadata['dns.priority']}`),
          [
            'users@10.0.0.1:7001 30 1',
            'users@10.0.0.1:7003 0 5',
            'users@10.0.0.2:7002 10 1',
            'users@[fd00:0:0:0:0:0:0:2]:7002 10 1',
          ],
        );
      },
    },
    {
      name: 'A and AAAA with a port of ours, through an alias',
      uses: [],
      run: async (stage) => {
        const registry = of(stage).openBy(() => ({ kind: 'address', name: 'alias.test', port: 9000 }));
        const { instances } = await registry.instances('users');
        assert.deepEqual(
          instances.map(({ address, port }) => `${address} ${port}`),
          ['10.0.0.2 9000', 'fd00:0:0:0:0:0:0:2 9000'],
        );
      },
    },
    {
      name: 'an answer that does not fit into a datagram comes whole, by TCP',
      uses: [],
      run: async (stage) => {
        const registry = of(stage).openBy(() => ({ kind: 'address', name: 'many.test', port: 80 }));
        assert.equal((await registry.instances('users')).instances.length, many.length);
      },
    },
    {
      name: 'no name, and a name that says that there is no such service, have no instances',
      uses: [],
      run: async (stage) => {
        const registry = await stage.open();
        assert.deepEqual((await registry.instances('nobody')).instances, []);
        assert.deepEqual((await registry.instances('gone')).instances, []);
      },
    },
    {
      name: 'an answer is kept for its TTL and no longer, and so is that there is none',
      uses: [],
      run: async (stage) => {
        const { server, asked } = of(stage);
        const registry = await stage.open();
        await registry.instances('users');
        await registry.instances('new');
        const before = asked();
        await registry.instances('users');
        assert.deepEqual([(await registry.instances('new')).instances.length, asked()], [0, before]);
        await server().update('add _new._tcp.test. 2 SRV 0 0 80 one.test.', 'delete _users._tcp.test. SRV');
        const ids = async (service: string): Promise<number> =>
          (await registry.instances(service)).instances.length;
        assert.deepEqual([await ids('users'), await ids('new')], [4, 0], 'what is kept is what is said');
        const startedMs = runtime.clock.nowMs();
        await until(stage.runtime, 'both are asked for again', 5000, async () => {
          return (await ids('users')) === 0 && (await ids('new')) === 1;
        });
        return `after ${Math.round(runtime.clock.nowMs() - startedMs)} ms of a TTL of 2000`;
      },
    },
    {
      name: 'a watch hears of every change when the TTL has run out, in order, and of no other',
      uses: [],
      run: async (stage) => {
        const { server } = of(stage);
        const watch = recordWatch(await stage.open(), 'users');
        await until(stage.runtime, 'the first', 3000, () => watch.latest?.instances.length === 4);
        await server().update(
          'delete _users._tcp.test. SRV',
          'add _users._tcp.test. 1 SRV 0 0 7009 two.test.',
        );
        const next = 'users@10.0.0.2:7009,users@[fd00:0:0:0:0:0:0:2]:7009';
        await until(stage.runtime, 'the change', 5000, () => watch.ids === next);
        await server().update('delete _users._tcp.test. SRV');
        await until(stage.runtime, 'the end', 5000, () => watch.ids === '');
        assert.equal(watch.snapshots.length, 3);
        await watch.stop();
      },
    },
    {
      name: 'server killed and started again: what is known stays, stale, and is then what the server says',
      uses: [],
      needs: ['kill', 'restartEmpty'],
      run: async (stage) => {
        const registry = await stage.open();
        const watch = recordWatch(registry, 'users');
        await until(stage.runtime, 'the first', 3000, () => watch.latest?.instances.length === 4);
        await need(stage.faults.kill)();
        await until(stage.runtime, 'stale', 15_000, () => watch.latest?.stale === true);
        assert.equal(watch.latest?.instances.length, 4);
        assert.equal(registry.problem?.reason, 'DNS_FAILED');
        await need(stage.faults.restartEmpty)();
        await until(stage.runtime, 'the change', 10_000, () => watch.ids === 'users@10.0.0.9:7001');
        assert.deepEqual([watch.latest?.stale, registry.problem], [false, undefined]);
        await watch.stop();
      },
    },
  ] satisfies RegistryCase[],
});

/** Consul's own DNS, where services are names. */
const onConsul = discoveryContract({
  backend: 'dns',
  prepare: () => obtain(consul),
  stages: { 'by Consul': stageOfConsul },
  lacks,
  cannot,
  more: [
    {
      name: 'what is registered at Consul is found by SRV, with its weight, and gone when it is failing',
      uses: [],
      run: async (stage) => {
        const { tell } = stage as ConsulStage;
        const base = { Name: 'users', Address: '127.0.0.7', Weights: { Passing: 7, Warning: 1 } };
        await tell('service/register', { ...base, ID: 'a', Port: 7001 });
        await tell('service/register', {
          ...base,
          ID: 'b',
          Port: 7002,
          Check: { CheckID: 'b', TTL: '1h', Status: 'passing' },
        });
        const watch = recordWatch(await stage.open(), 'users');
        const seen = (): string | undefined =>
          watch.latest?.instances.map(({ address, port, weight }) => `${address}:${port}=${weight}`).join();
        const both = '127.0.0.7:7001=7,127.0.0.7:7002=7';
        await until(stage.runtime, both, 8000, () => seen() === both);
        await tell('check/fail/b');
        await until(stage.runtime, 'b has gone', 8000, () => seen() === '127.0.0.7:7001=7');
        await tell('service/deregister/a');
        await until(stage.runtime, 'nobody is there', 8000, () => seen() === '');
        await watch.stop();
      },
    },
  ] satisfies RegistryCase[],
});

/** On the real servers. */
export const dns: Contract = {
  backend: 'dns',
  run: async () => [...(await onBind.run()), ...(await onConsul.run())],
};

interface ConsulStage extends RegistryStage {
  /** PUT to the agent's API. */
  readonly tell: (path: string, json?: object) => Promise<void>;
}

async function stageOfConsul(): Promise<RegistryStage> {
  const dnsPort = await freePort();
  const server = await consul.start({ dnsPort });
  const { host, port } = server.address;
  const stage = await serverStage({
    runtime,
    ttlMs: 2000,
    target: () => server.address,
    open: (own) =>
      dnsRegistry({
        runtime: { ...own, log: runtime.log },
        datagrams: nodeDatagrams,
        servers: [{ host, port: dnsPort }],
        question: (service) => ({ kind: 'srv', name: `${service}.service.consul` }),
      }),
    end: () => server.stop(),
  });
  const more: Pick<ConsulStage, 'tell'> = {
    tell: async (path, json = {}) => {
      const url = `http://${host}:${port}/v1/agent/${path}`;
      const answer = await fetch(url, { method: 'PUT', body: JSON.stringify(json) });
      assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.text()}`);
    },
  };
  return Object.assign(stage, more);
}

function of(stage: RegistryStage): DnsStage {
  return stage as DnsStage;
}

function need<T>(fault: T | undefined): T {
  assert.ok(fault !== undefined);
  return fault;
}

async function stageOf(): Promise<RegistryStage> {
  let server = await startBind9({ records });
  const { address } = server;
  let asked = 0;
  const datagrams: Datagrams = (...exchange) => {
    asked += 1;
    return nodeDatagrams(...exchange);
  };
  const openBy = (question: (service: string) => DnsQuestion, on = runtime): Registry =>
    dnsRegistry({ runtime: on, datagrams, servers: [address], timeoutMs: 300, question });
  const stage = await serverStage({
    runtime,
    ttlMs: 2000,
    seenWithinMs: 5000,
    // Datagrams go to the server itself.
    target: () => address,
    open: (own) =>
      openBy((service) => ({ kind: 'srv', name: `_${service}._tcp.test` }), { ...own, log: runtime.log }),
    faults: {
      kill: async () => {
        process.kill(server.pid, 'SIGKILL');
        await server.stop();
      },
      restartEmpty: async () => {
        server = await startBind9({
          address,
          records: ['one 20 A 10.0.0.9', '_users._tcp 2 SRV 1 0 7001 one'],
        });
      },
    },
    end: () => server.stop(),
  });
  const more: Pick<DnsStage, 'server' | 'asked' | 'openBy'> = {
    server: () => server,
    asked: () => asked,
    openBy,
  };
  return Object.assign(stage, more);
}
