import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fields, type HttpService, serve, streamBody, wholeBody } from '@heddle/wire';
import { Fleet, type FleetProcess } from '../testing/fleet.ts';
import { user } from '../testing/registry-cases.ts';
import { resolver } from '../resolve/resolver.ts';
import type { HealthCheck } from './health-check.ts';
import { checkService, reportHealth } from './health-view.ts';
import type { ScriptRunner } from './probe/script-probe.ts';
import { type CheckOptions, type RunningCheck, startCheck } from './running-check.ts';
import { startTtlCheck } from './ttl-check.ts';

const text = (content: string): ReturnType<typeof wholeBody> => wholeBody(new TextEncoder().encode(content));

/** A host that is checked from another one. */
async function stage(
  check: HealthCheck,
  service: HttpService,
  more: Partial<CheckOptions> = {},
): Promise<{ fleet: Fleet; server: FleetProcess; running: RunningCheck; heard: string[]; on: FleetProcess }> {
  const fleet = new Fleet();
  const server = fleet.start('server');
  await fleet.time.run(serve(service, { runtime: server, address: { host: 'server', port: 80 } }));
  const on = fleet.start('checker');
  const heard: string[] = [];
  const running = startCheck({
    runtime: on,
    address: { host: 'server', port: 80 },
    check,
    intervalMs: 10_000,
    timeoutMs: 1000,
    onChange: (health, why) => heard.push(`${health}: ${why}`),
    ...more,
  });
  return { fleet, server, running, heard, on };
}

const ok: HttpService = async () => ({ status: 200, fields: new Fields(), body: text('all is well') });

test('tcp: passes while somebody listens, is critical after three tries when nobody does', async () => {
  const { fleet, server, running, heard } = await stage({ kind: 'tcp' }, ok);
  assert.equal(running.health, 'unknown');
  await fleet.time.advance(2000);
  assert.equal(running.health, 'passing');
  server.process.end('killed');
  await fleet.time.advance(22_000);
  assert.equal(running.health, 'passing', 'two tries have failed');
  await fleet.time.advance(12_000);
  assert.equal(running.health, 'critical');
  assert.equal(heard.length, 2, heard.join());
  running.stop();
});

test('tcp: a host that swallows everything fails by the deadline', async () => {
  const { fleet, running, heard } = await stage({ kind: 'tcp' }, ok, { fall: 1 });
  fleet.cut('checker', 'server');
  await fleet.time.advance(2500);
  assert.equal(running.health, 'critical');
  assert.equal(heard.length, 1);
  running.stop();
});

test('http: path, status range and body are looked at', async () => {
  const service: HttpService = async ({ method, path, authority }) => {
    assert.deepEqual([method, authority], ['GET', 'server:80']);
    const status = Number(/\d+/.exec(path)?.[0] ?? 200);
    return { status, fields: new Fields(), body: text('{"status":"up"}') };
  };
  const cases: readonly (readonly [check: HealthCheck, health: string, why: RegExp])[] = [
    [{ kind: 'http' }, 'passing', /status 200/],
    [{ kind: 'http', path: '/204?x' }, 'passing', /status 204/],
    [{ kind: 'http', path: '/302' }, 'critical', /expected a status from 200 to 299, found 302/],
    [{ kind: 'http', path: '/503' }, 'critical', /found 503/],
    [{ kind: 'http', path: '/404', status: { from: 404, to: 404 } }, 'passing', /404/],
    [{ kind: 'http', body: '"status":"up"' }, 'passing', /expected body/],
    [{ kind: 'http', body: 'down' }, 'critical', /expected "down" in the body, found "\{/],
  ];
  for (const [check, health, why] of cases) {
    const { fleet, running } = await stage(check, service, { fall: 1 });
    await fleet.time.advance(2000);
    assert.deepEqual([running.health, why.test(running.why)], [health, true], running.why);
    running.stop();
  }
});

test('http: a body without an end is not read to its end, and no connection is left', async () => {
  const endless: HttpService = async () => {
    const forever = async function* (): AsyncGenerator<Uint8Array, void> {
      for (;;) yield new Uint8Array(16_384);
    };
    return { status: 200, fields: new Fields(), body: streamBody(forever()) };
  };
  const { fleet, running } = await stage({ kind: 'http', body: 'x' }, endless, { fall: 1 });
  await fleet.time.advance(3000);
  assert.equal(running.health, 'critical');
  assert.equal(fleet.net.openConnections('checker'), 0);
  running.stop();
});

test('http: a server that takes the request and says nothing is critical by the deadline', async () => {
  const silent: HttpService = () => new Promise(() => {});
  const { fleet, running, heard } = await stage({ kind: 'http' }, silent, { fall: 1 });
  await fleet.time.advance(3000);
  assert.deepEqual(heard, ['critical: the check did not end within 1000 ms']);
  running.stop();
  await fleet.time.advance(60_000);
  assert.equal(fleet.net.openConnections('checker'), 0);
  assert.equal(heard.length, 1, 'a stopped check tells nobody anything');
});

test('checks of a fleet are spread over the interval', async () => {
  const arrivals: number[] = [];
  const { fleet, on, running } = await stage({ kind: 'http' }, async (request, call) => {
    arrivals.push(call.runtime.clock.nowMs());
    return ok(request, call);
  });
  running.stop();
  const checks = Array.from({ length: 100 }, () =>
    startCheck({
      runtime: on,
      address: { host: 'server', port: 80 },
      check: { kind: 'http' },
      intervalMs: 10_000,
    }),
  );
  await fleet.time.advance(60_000);
  const perTenth = new Map<number, number>();
  for (const atMs of arrivals) {
    const tenth = Math.floor(atMs / 100);
    perTenth.set(tenth, (perTenth.get(tenth) ?? 0) + 1);
  }
  assert.ok(Math.max(...perTenth.values()) <= 25, [...perTenth.values()].join());
  for (const check of checks) check.stop();
});

test('script: exit codes, its deadline, and that there is none without a runner', async () => {
  let code: number | undefined = 0;
  const seen: string[] = [];
  const scripts: ScriptRunner = async (argv, { host, port }) => {
    seen.push([...argv, `${host}:${port}`].join(' '));
    return { code, output: 'disk 93 %\n' };
  };
  const check: HealthCheck = { kind: 'script', argv: ['check-disk', '/var'] };
  const { fleet, running, heard } = await stage(check, ok, { scripts, fall: 1, jitter: 0 });
  await fleet.time.advance(1000);
  for (code of [1, 2, undefined]) await fleet.time.advance(10_000);
  assert.equal(seen[0], 'check-disk /var server:80');
  assert.deepEqual(heard, [
    'passing: disk 93 %',
    'warning: exit code 1: disk 93 %',
    'critical: exit code 2: disk 93 %',
  ]);
  running.stop();
  await assert.rejects(stage(check, ok), { reason: 'NO_SCRIPT_RUNNER' });
});

test('ttl: unknown until reported, passing only while it is, and critical by itself', async () => {
  const fleet = new Fleet();
  const on = fleet.start('a');
  const heard: string[] = [];
  const check = startTtlCheck({ runtime: on, ttlMs: 10_000, onChange: (health) => heard.push(health) });
  assert.equal(check.health, 'unknown');
  for (let turn = 0; turn < 5; turn++) {
    check.report('passing');
    await fleet.time.advance(9000);
  }
  check.report('warning', 'queue is long');
  assert.equal(check.why, 'queue is long');
  await fleet.time.advance(10_000);
  assert.equal(check.why, 'nothing was reported for 10000 ms');
  check.report('passing');
  assert.deepEqual(heard, ['passing', 'warning', 'critical', 'passing']);
  check.stop();
  await fleet.time.advance(60_000);
  assert.equal(heard.length, 4);
});

test('a change of health reaches the registry entry, and with it everybody', async () => {
  const fleet = new Fleet();
  await fleet.serve('registry');
  const { registry, on } = fleet.client('a');
  const held = await fleet.time.run(registry.register(user('x')));
  const onChange = reportHealth(registry, held.instance, on);
  const check = startTtlCheck({ runtime: on, ttlMs: 20_000, onChange });
  const healthNow = async (): Promise<string | undefined> =>
    (await fleet.time.run(registry.instances('users'))).instances[0]?.health;
  check.report('passing');
  await fleet.time.advance(100);
  assert.equal(await healthNow(), 'passing');
  await fleet.time.advance(20_000);
  assert.equal(await healthNow(), 'critical');
  fleet.cut('a', 'registry');
  check.report('passing');
  await fleet.time.advance(8000);
  assert.ok(on.lines.some((line) => line.includes('not told of a change of health')));
  fleet.cut('a', 'registry', false);
  check.stop();
  await fleet.time.advance(15_000);
  assert.equal(await healthNow(), 'passing', 'the next renewal has told it');
});

test('checks of a service are a view for the resolver: the dead go, though the registry has them still', async () => {
  const fleet = new Fleet();
  await fleet.serve('registry');
  const servers = ['one', 'two', 'three'].map((host) => fleet.start(host));
  const { registry, on } = fleet.client('a');
  for (const server of servers) {
    const host = ['one', 'two', 'three'][servers.indexOf(server)] ?? '';
    await fleet.time.run(serve(ok, { runtime: server, address: { host, port: 80 } }));
    await fleet.time.run(registry.register(user(host, { address: host, port: 80 })));
  }
  const checks = checkService({
    registry,
    service: 'users',
    runtime: on,
    check: { kind: 'tcp' },
    intervalMs: 1000,
    fall: 2,
    rise: 1,
  });
  const panics: boolean[] = [];
  const users = resolver('discovery:///users', {
    runtime: on,
    registry,
    health: checks,
    onPanic: (panic) => panics.push(panic),
  });
  const ids = (): string | undefined => users.current?.instances.map(({ id }) => id).join();
  await fleet.time.advance(3000);
  assert.equal(ids(), 'one,three,two');
  servers[0]?.process.end('killed');
  await fleet.time.advance(4000);
  assert.deepEqual([ids(), users.current?.excluded.health, users.current?.panic], ['three,two', 1, false]);
  servers[1]?.process.end('killed');
  await fleet.time.advance(4000);
  assert.deepEqual([ids(), users.current?.panic], ['one,three,two', true], 'one of three is too few');
  assert.ok(on.lines.some((line) => line.includes('all are used')));
  const again = fleet.start('two');
  await fleet.time.run(serve(ok, { runtime: again, address: { host: 'two', port: 80 } }));
  await fleet.time.advance(4000);
  assert.deepEqual([ids(), panics], ['three,two', [true, false]]);
  await fleet.time.run(registry.deregister('users', 'three'));
  await fleet.time.advance(100);
  assert.equal(ids(), 'two', 'one of two is enough');
  users.close();
  checks.close();
  await fleet.time.run(registry.close());
  await fleet.time.advance(5000);
  assert.equal(fleet.net.openConnections('a'), 0);
});
