// DNS against a real server: dnsmasq, where it is installed (Debian: dnsmasq-base).
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { nodeRuntime } from '@heddle/kernel/node';
import { until } from '../../testing/registry-stage.ts';
import { recordWatch } from '../../testing/watch-record.ts';
import type { Datagrams } from './datagrams.ts';
import { DnsClient } from './dns-client.ts';
import type { DnsQuestion } from './dns-instances.ts';
import { dnsRegistry } from './dns-registry.ts';
import { nodeDatagrams } from './node/node-datagrams.ts';

// Another path may be given, of one that was only unpacked.
const program = process.env['DNSMASQ'] ?? 'dnsmasq';
const isThere = spawnSync(program, ['--version']).status === 0;
const runtime = { ...nodeRuntime({ name: 'test' }), log: (): void => {} };
const srv = (service: string): DnsQuestion => ({ kind: 'srv', name: `_${service}._tcp.test` });
const many = Array.from({ length: 120 }, (_, at) => `--host-record=many.test,10.1.0.${at + 1}`);

/** The records that are there from the beginning, in dnsmasq's words. */
const records = [
  '--host-record=one.test,10.0.0.1,20',
  '--host-record=two.test,10.0.0.2,fd00::2,20',
  '--srv-host=_order._tcp.test,one.test,7001,1,30',
  '--srv-host=_order._tcp.test,two.test,7002,1,10',
  '--srv-host=_order._tcp.test,one.test,7003,5,10',
  '--cname=alias.test,two.test,20',
  ...many,
];

describe('dns, on dnsmasq', { skip: !isThere && 'dnsmasq is not installed', timeout: 60_000 }, () => {
  let port = 0;
  let child: ChildProcess | undefined;
  let asked = 0;
  const counted: Datagrams = (...exchange) => {
    asked += 1;
    return nodeDatagrams(...exchange);
  };
  const options = (): {
    runtime: typeof runtime;
    datagrams: Datagrams;
    servers: { host: string; port: number }[];
  } => {
    return { runtime, datagrams: counted, servers: [{ host: '127.0.0.1', port }] };
  };

  async function start(more: readonly string[]): Promise<void> {
    const fixed = ['--no-daemon', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--local=/test/'];
    const at = [
      `--port=${port}`,
      '--listen-address=127.0.0.1',
      '--bind-interfaces',
      '--pid-file=',
      '--user=',
    ];
    child = spawn(program, [...fixed, ...at, '--local-ttl=2', '--neg-ttl=2', ...more], { stdio: 'ignore' });
    const client = new DnsClient({ ...options(), timeoutMs: 200 });
    await until(runtime, 'dnsmasq answers', 10_000, () =>
      client.ask('one.test', 'A').then(
        () => true,
        () => false,
      ),
    );
  }
  async function stop(): Promise<void> {
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    child = undefined;
  }
  before(async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    port = (probe.address() as { port: number }).port;
    probe.close();
    await once(probe, 'close');
    await start(records);
  });
  after(stop);

  it('SRV: priority chooses, weight shares, targets have addresses of both families', async () => {
    const registry = dnsRegistry({ ...options(), question: srv });
    const { instances } = await registry.instances('order');
    assert.deepEqual(
      instances.map(({ id, weight, metadata }) => `${id} ${weight} ${metadata['dns.priority']}`),
      [
        'order@10.0.0.1:7001 30 1',
        'order@10.0.0.1:7003 0 5',
        'order@10.0.0.2:7002 10 1',
        'order@[fd00:0:0:0:0:0:0:2]:7002 10 1',
      ],
    );
  });

  it('A and AAAA with a port of ours, through an alias', async () => {
    const question = (): DnsQuestion => ({ kind: 'address', name: 'alias.test', port: 9000 });
    const { instances } = await dnsRegistry({ ...options(), question }).instances('two');
    assert.deepEqual(
      instances.map(({ address, port: at }) => `${address} ${at}`),
      ['10.0.0.2 9000', 'fd00:0:0:0:0:0:0:2 9000'],
    );
  });

  it('an answer that does not fit into a datagram comes whole, by TCP', async () => {
    const { records: found } = await new DnsClient(options()).ask('many.test', 'A');
    assert.equal(found.length, many.length);
  });

  it('a name that is not there has no instances, and is not asked for again at once', async () => {
    const client = new DnsClient(options());
    const first = await client.ask('nobody.test', 'A');
    const { length } = first.records;
    const before = asked;
    await client.ask('nobody.test', 'A');
    assert.deepEqual([length, asked], [0, before]);
    assert.ok(first.ttlMs > 0);
  });

  it('keeps an answer for its TTL and not longer', async () => {
    const client = new DnsClient(options());
    const { ttlMs } = await client.ask('_order._tcp.test', 'SRV');
    assert.ok(ttlMs > 0 && ttlMs <= 2000, `${ttlMs} ms`);
    const before = asked;
    await client.ask('_order._tcp.test', 'SRV');
    assert.equal(asked, before);
    const startedMs = runtime.clock.nowMs();
    await until(runtime, 'it is asked again', 5000, async () => {
      await client.ask('_order._tcp.test', 'SRV');
      return asked > before;
    });
    assert.ok(runtime.clock.nowMs() - startedMs >= ttlMs - 100);
  });

  it('a watch hears of a change when the TTL has run out, and keeps what it has while the server is down', async () => {
    const registry = dnsRegistry({ ...options(), timeoutMs: 200, question: srv });
    const watch = recordWatch(registry, 'order');
    await until(runtime, 'the first', 5000, () => watch.latest?.instances.length === 4);
    await stop();
    await until(runtime, 'stale', 10_000, () => watch.latest?.stale === true);
    assert.equal(watch.latest?.instances.length, 4);
    assert.equal(registry.problem?.reason, 'DNS_FAILED');
    await start(['--host-record=one.test,10.0.0.9,20', '--srv-host=_order._tcp.test,one.test,7001,1,0']);
    await until(runtime, 'the change', 10_000, () => watch.ids === 'order@10.0.0.9:7001');
    assert.deepEqual([watch.latest?.stale, watch.latest?.instances[0]?.weight], [false, 100]);
    assert.equal(registry.problem, undefined);
    await watch.stop();
  });

  it('what DNS cannot do is answered as unsupported', async () => {
    const registry = dnsRegistry({ ...options(), question: srv });
    const unsupported = { code: 'unimplemented', reason: 'UNSUPPORTED', sent: false };
    const init = { service: 'a', address: 'h', port: 1 };
    await assert.rejects(registry.register(init), unsupported);
    await assert.rejects(registry.deregister('a', 'b'), unsupported);
    await assert.rejects(registry.heartbeat('a', 'b'), unsupported);
    await assert.rejects(registry.services(), unsupported);
    await registry.close();
    assert.throws(() => registry.watch('order'), { reason: 'REGISTRY_CLOSED' });
  });
});
