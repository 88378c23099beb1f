// The acceptance test of the whole: what `npm run up` starts, with its own gateway and customers, killed, restarted
// service by service, and stopped. The customers' report is the judge.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Instance, Registry } from '@heddle/discovery';
import { sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import type { Overview } from '../control-plane/overview.ts';
import { readUpState, type UpState } from '../node/data-folder.ts';
import { StartedCli } from '../node/started-cli.ts';
import { controlPlaneRegistry, readPlanePlace } from '../registry-access.ts';
import { shopServices } from '../up/programs.ts';

const onlyLinux = process.platform !== 'linux' && 'processes are looked up in /proc';
const runtime = { ...nodeRuntime({ name: 'test' }), log: () => {} };
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-up-shop-'));
const data = ['--data', folder];
const started: StartedCli[] = [];

/** The service whose rules are rehearsed, as a mesh would know it. */
const paymentOfMesh = `apiVersion: v1
kind: Service
metadata: {name: payment}
spec: {selector: {app: payment}, ports: [{name: grpc, port: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: payment}
spec: {address: 10.0.0.1, labels: {app: payment}}
---
`;

let cli: StartedCli;
let state: UpState;
let registry: Registry;

before(
  async () => {
    cli = heddle('up', '--shop', '--port', '0', '--console-port', '0', ...data);
    await cli.printed(/\nready\n/);
    state = readUpState(folder);
    registry = controlPlaneRegistry(readPlanePlace(new URL(state.console).host, ''), runtime, state.token);
  },
  { timeout: 120_000 },
);

after(
  async () => {
    await registry?.close();
    for (const each of started) if (each.child.exitCode === null) each.child.kill('SIGTERM');
    await Promise.all(started.map((each) => each.exited));
    await heddle('clean', ...data).exited;
    rmSync(folder, { recursive: true, force: true });
  },
  { timeout: 60_000 },
);

function heddle(...args: string[]): StartedCli {
  const cli = new StartedCli(args);
  started.push(cli);
  return cli;
}

async function until<T>(what: string, limitMs: number, probe: () => Promise<T | undefined>): Promise<T> {
  for (const limit = runtime.clock.nowMs() + limitMs; ; await sleep(runtime.timers, 100)) {
    const found = await probe();
    if (found !== undefined) return found;
    assert.ok(
      runtime.clock.nowMs() < limit,
      `${what}: not within ${limitMs} ms; heddle up says\n${cli.output}`,
    );
  }
}

/** What the customers have seen so far; see `LoadReport` of the shop. */
interface Report {
  readonly sessions: { readonly running: number; readonly skipped: number };
  readonly requests: { readonly ok: number; readonly errors: Readonly<Record<string, number>> };
  readonly orders: Readonly<Record<string, number>>;
}

async function report(): Promise<Report> {
  const log = readFileSync(path.join(folder, 'logs', 'load.log'), 'utf8');
  const [, url = ''] = [...log.matchAll(/"report":"([^"]+)"/g)].at(-1) ?? [];
  return (await (await fetch(url)).json()) as Report;
}

function errorCount({ requests }: Report): number {
  return Object.values(requests.errors).reduce((sum, count) => sum + count, 0);
}

async function untilMoreOrders(count: number): Promise<Report> {
  const before = (await report()).orders['confirmed'] ?? 0;
  return until(`${count} more orders`, 60_000, async () => {
    const now = await report();
    return (now.orders['confirmed'] ?? 0) >= before + count ? now : undefined;
  });
}

function asked(place: string): Promise<Response> {
  return fetch(`${state.console}${place}`, { headers: { authorization: `Bearer ${state.token}` } });
}

async function overview(): Promise<Overview> {
  return (await (await asked('/api/overview')).json()) as Overview;
}

/** The services that have counted a request which is not a look at their health or metrics, with how many. */
async function served(): Promise<Map<string, number>> {
  const counted = await Promise.all(
    shopServices.map(async (service) => {
      const { instances } = await registry.instances(service);
      const texts = instances.map(async (each) =>
        (await fetch(`http://${each.address}:${each.port}/metrics`)).text(),
      );
      const lines = (await Promise.all(texts))
        .join('\n')
        .matchAll(/^(?:http_requests|rpc_server_calls)_total\{(.*)\} (\d+)$/gm);
      const work = [...lines].filter(
        ([, labels = '']) => !/"\/health"|"\/metrics"|grpc\.health/.test(labels),
      );
      return [service, work.reduce((sum, [, , count]) => sum + Number(count), 0)] as const;
    }),
  );
  return new Map(counted);
}

function pidOf(instance: Instance): number {
  return Number(instance.metadata['pid']);
}

/** Resolves when two instances of the service run and none of them is `old`. */
async function untilReplaced(service: string, old: readonly string[], limitMs: number): Promise<void> {
  await until(`two new instances of ${service}`, limitMs, async () => {
    const { instances } = await registry.instances(service);
    const running = instances.filter(({ state, id }) => state === 'running' && !old.includes(id));
    return instances.length === 2 && running.length === 2 ? true : undefined;
  });
}

/** Every process below `pid`. */
function family(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return [...children, ...children.flatMap(family)];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('heddle up --shop', { skip: onlyLinux, timeout: 420_000 }, () => {
  test('the order that it prints goes through seven services', async () => {
    const [, line = ''] = await cli.printed(/\n +an order +curl -s (.*)\n/);
    const [, url = '', content = ''] = /^(\S+) .* -d '(.*)'$/.exec(line) ?? [];
    assert.equal(url, `${state.gateway}/orders`);
    const before = await served();
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'the-printed-order' };
    const answer = await fetch(url, { method: 'POST', headers, body: content });
    const order = (await answer.json()) as { orderId: string; state: string; trackingCode: string };
    assert.deepEqual([answer.status, order.state], [201, 'confirmed']);
    const after = await served();
    for (const service of shopServices)
      assert.ok((after.get(service) ?? 0) > (before.get(service) ?? 0), service);
    // The customers order too: that this order was at each of them is in what they keep of it.
    const about = async (where: string): Promise<string> => (await fetch(`${state.gateway}${where}`)).text();
    assert.match(await about(`/payments/${order.orderId}`), /"state":"charged"/);
    assert.match(await about(`/shipments/${order.orderId}`), new RegExp(order.trackingCode));
    assert.match(await about(`/notifications?orderId=${order.orderId}`), new RegExp(order.trackingCode));
  });

  test('an order is one trace through all services, found by the id in the answer; tail and top show the traffic', async () => {
    const answer = await fetch(`${state.gateway}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'the-traced-order' },
      body: '{"userId":"u00002","items":[{"productId":"p00002","quantity":1}]}',
    });
    assert.equal(answer.status, 201);
    const id = answer.headers.get('x-request-id') ?? '';
    const ended = async (...args: readonly string[]): Promise<string> => {
      const command = new StartedCli([...args, '--data', folder]);
      await command.exited;
      return command.output;
    };
    const tags = encodeURIComponent(JSON.stringify({ 'heddle.correlation_id': id }));
    await until('the whole trace', 60_000, async () => {
      const found = (await (await asked(`/api/traces?tags=${tags}`)).json()) as {
        data: readonly {
          readonly spans: readonly { readonly tags: readonly { readonly key: string }[] }[];
        }[];
      };
      // Statements are spans too; how many there are is the services' own affair.
      const isStatement = ({ key }: { readonly key: string }): boolean => key === 'db.system.name';
      const all = found.data[0]?.spans ?? [];
      const calls = all.filter(({ tags: of }) => !of.some(isStatement));
      return calls.length === 17 && all.length > calls.length ? true : undefined;
    });
    const shown = await ended('trace', id);
    assert.match(shown, /\d+ spans of 8 services/);
    for (const service of ['gateway', ...shopServices]) assert.match(shown, new RegExp(`^${service} `, 'm'));
    assert.match(await ended('tail', '--for', '4'), /gateway .* spans +[0-9a-f]{32}/);
    assert.match(await ended('top', '--once'), /^order +payment +\d/m);
    const rates = await asked(`/api/v1/query?query=${encodeURIComponent('count(up == 1)')}`);
    assert.match(await rates.text(), /"success".*"15"/);
  });

  test('what runs is read from its traces: by boundaries, and by a rehearsal of rules', async () => {
    const planned = heddle('boundaries', 'analyse', '--running', '--today', '--json', ...data);
    assert.equal(await planned.exited, 0, planned.output);
    const { services } = JSON.parse(planned.output) as {
      services: Record<string, { capabilities: string[]; owns: string[] } | undefined>;
    };
    assert.ok(services['order']?.owns.includes('orders'), planned.output);
    const rules = (name: string, rule: string): string => {
      const place = path.join(folder, name);
      mkdirSync(place);
      writeFileSync(path.join(place, 'payment.yaml'), `${paymentOfMesh}${rule}`);
      return place;
    };
    const closed =
      'apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: payment}\nspec: {}\n';
    const open = closed.replace('spec: {}', 'spec: {rules: [{}]}');
    const [before, after] = [rules('before', open), rules('after', closed)];
    const rehearsed = heddle(
      'rehearse',
      '--before',
      before,
      '--after',
      after,
      '--running',
      '--json',
      ...data,
    );
    assert.equal(await rehearsed.exited, 0, rehearsed.output);
    const { calls, changed, differences } = JSON.parse(rehearsed.output) as {
      calls: number;
      changed: number;
      differences: { from: string; host: string }[];
    };
    assert.ok(changed > 0 && changed < calls, rehearsed.output);
    assert.ok(
      differences.every(({ host }) => host.startsWith('payment')),
      rehearsed.output,
    );
  });

  test('the console shows every service with its instances, and rates measured from the customers', async () => {
    const found = await until('all rates', 30_000, async () => {
      const { services } = await overview();
      const measured = services.filter(({ traffic }) => (traffic?.perSecond ?? 0) > 0);
      return measured.length === 8 ? services : undefined;
    });
    const counts = found.map(({ name, instances }) => [name, instances.length]);
    assert.deepEqual(
      Object.fromEntries(counts),
      Object.fromEntries([['gateway', 1], ...shopServices.map((name) => [name, 2])]),
    );
    for (const { instances } of found)
      for (const each of instances) assert.equal(each.metrics, 'read', each.id);
  });

  test('kill -9 of an instance of each service fails what is in flight at most, and nothing once the leases are gone', async (context) => {
    await untilMoreOrders(3);
    const before = await report();
    assert.deepEqual(before.requests.errors, {});
    const victims: Instance[] = [];
    let inFlightAtMost = 0;
    for (const service of shopServices) {
      const [victim] = (await registry.instances(service)).instances;
      assert.ok(victim !== undefined);
      // A customer has one request under way at most, and waits for the next page most of the time.
      inFlightAtMost += (await report()).sessions.running;
      process.kill(pidOf(victim), 'SIGKILL');
      victims.push(victim);
    }
    for (const { id, service } of victims) await untilReplaced(service, [id], 60_000);
    const settled = await report();
    const end = await untilMoreOrders(15);
    context.diagnostic(
      `errors: ${JSON.stringify(settled.requests.errors)}; in flight at most ${inFlightAtMost}`,
    );
    assert.ok(errorCount(settled) <= inFlightAtMost, JSON.stringify(settled));
    assert.deepEqual(
      end.requests.errors,
      settled.requests.errors,
      'no failed call after the leases are gone',
    );
    assert.equal(end.orders['given_up'], undefined, 'no order is lost');
  });

  test('a rolling restart of every service fails no call', async () => {
    const before = await report();
    for (const service of shopServices) {
      const { instances } = await registry.instances(service);
      const old: string[] = [];
      for (const instance of instances) {
        process.kill(pidOf(instance), 'SIGTERM');
        old.push(instance.id);
        await untilReplaced(service, old, 60_000);
      }
    }
    const end = await untilMoreOrders(5);
    assert.deepEqual(end.requests.errors, before.requests.errors);
    assert.ok(end.requests.ok > before.requests.ok + 100, JSON.stringify(end));
  });

  test('a gateway that is restarted finishes what it has taken', async () => {
    assert.equal(await heddle('shop', 'fault', 'product', 'slow', ...data).exited, 0);
    const [{ metadata } = { metadata: {} as Instance['metadata'] }] = (await registry.instances('gateway'))
      .instances;
    const metrics = async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${metadata['metrics-port']}/metrics`)).text();
    const slow = Array.from({ length: 10 }, () => fetch(`${state.gateway}/products/p00001`));
    await until('ten slow calls under way', 20_000, async () => {
      const [, inFlight = '0'] = /^http_requests_in_flight(?:\{.*\})? (\d+)$/m.exec(await metrics()) ?? [];
      return Number(inFlight) >= 10 ? true : undefined;
    });
    const [pid = 0] = family(state.pid).filter((each) =>
      readFileSync(`/proc/${each}/cmdline`, 'utf8').split('\0').includes('gateway'),
    );
    process.kill(pid, 'SIGTERM');
    const statuses = (await Promise.all(slow)).map(({ status }) => status);
    assert.deepEqual(
      statuses,
      Array.from({ length: 10 }, () => 200),
    );
    await cli.printed(/gateway ended with exit code 0; starting it again/);
    await cli.printed(/gateway is back/);
    assert.equal(await heddle('shop', 'fault', 'product', 'off', ...data).exited, 0);
    assert.equal((await fetch(`${state.gateway}/products/p00001`)).status, 200);
  });

  test('explain: the records of a request that met a fault name it, on both sides; the layers have their reasons', async () => {
    assert.equal(await heddle('shop', 'fault', 'payment', 'fail', ...data).exited, 0);
    const headers = { 'content-type': 'application/json' };
    const content = '{"userId":"u00001","items":[{"productId":"p00001","quantity":1}]}';
    const order = async (): Promise<string> => {
      const key = { 'idempotency-key': runtime.random.uuid() };
      const answer = await fetch(`${state.gateway}/orders`, {
        method: 'POST',
        headers: { ...headers, ...key },
        body: content,
      });
      await answer.body?.cancel();
      return answer.headers.get('x-request-id') ?? '';
    };
    const told = await until('an order that met the fault', 90_000, async () => {
      const asked = heddle('explain', await order(), ...data);
      return (await asked.exited) === 0 && asked.output.includes('INJECTED_FAULT') ? asked.output : undefined;
    });
    assert.equal(await heddle('shop', 'fault', 'payment', 'off', ...data).exited, 0);
    assert.match(told, /payment-\w+ \(server\): shop\.payment\.v1\.PaymentService\/Charge/);
    assert.match(
      told,
      /order-\w+ \(client\): shop\.payment\.v1\.PaymentService\/Charge to discovery:\/\/\/payment/,
    );
    assert.match(told, /attempt 1 at payment-\w+, .*unavailable INJECTED_FAULT/);
    const layers = heddle('explain', 'layers', 'order', ...data);
    assert.equal(await layers.exited, 0);
    assert.match(layers.output, /order: client of payment, outermost first/);
    assert.match(layers.output, /retry +Above the balancer/);
    const unknown = heddle('explain', 'no-such-id', ...data);
    assert.equal(await unknown.exited, 1);
    assert.match(unknown.output, /has a record of no-such-id/);
  });

  test('SIGTERM drains all, in order, and leaves no process behind', async () => {
    const all = family(state.pid);
    assert.ok(all.length > 17, `${all.length} processes`);
    cli.child.kill('SIGTERM');
    assert.equal(await cli.exited, 0, cli.output);
    const stops = [...cli.output.matchAll(/✔ stop ([^\d×]+)/g)].map(([, what = '']) => what.trim());
    assert.deepEqual(
      [stops[0], stops[1], stops.at(-2), stops.at(-1)],
      ['shop: customers', 'gateway', 'control plane and console', 'PostgreSQL'],
    );
    assert.doesNotMatch(cli.output, /did not drain/);
    await until('all are gone', 5000, async () => (all.some(isAlive) ? undefined : true));
  });
});
