import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { type SimulatedRuntime, simulatedRuntime } from '@heddle/kernel/simulated';
import { expose } from '../metrics/exposition.ts';
import { MetricRegistry } from '../metrics/registry.ts';
import { Labels } from '../promql/labels.ts';
import { MetricStore } from '../store/metric-store.ts';
import { AlertEngine } from './alert-engine.ts';
import type { Channel } from './notify/channel.ts';
import { readNotifyConfig } from './notify/notify-config.ts';
import { defaultRules } from './rules/default-rules.ts';
import { readRules } from './rules/rule-document.ts';

const config = `
route: {receiver: team, group_by: [alertname], group_wait: 10s, group_interval: 1m, repeat_interval: 4h}
receivers: [{name: team, webhook_configs: [{url: http://127.0.0.1/}]}]
`;
const minute = 60_000;
const everyMs = 10_000;

/** A system whose services are observed: requests, failures and durations by the minute as a test says. */
class World {
  readonly runtime: SimulatedRuntime = simulatedRuntime();
  readonly store: MetricStore = new MetricStore();
  readonly told: string[] = [];
  /** Of the newest engine. */
  registry: MetricRegistry = new MetricRegistry();
  failing = false;
  /** Shares and seconds that hold from now on. */
  now = { errors: 0, seconds: 0.1, memory: 0.5 };
  readonly #counts = { all: 0, failed: 0, seconds: 0 };
  readonly #startMs: number = this.runtime.clock.wallMs();

  engine(rules = defaultRules, runtime: Runtime = this.runtime): AlertEngine {
    const channel: Channel = { kind: 'webhook', send: async ({ alerts }) => this.#hear(alerts) };
    this.registry = new MetricRegistry();
    const source = async (): Promise<MetricStore> => this.store;
    return new AlertEngine({
      runtime,
      reader: { sourceFor: source, sourceBetween: source },
      record: (labels, timeMs, value) => this.store.add(labels, timeMs, value),
      groups: readRules('rules.yml', rules),
      config: readNotifyConfig('alertmanager.yml', config),
      channels: { team: [channel] },
      metrics: this.registry,
      externalUrl: () => 'http://127.0.0.1:8090',
    });
  }

  async #hear(
    alerts: readonly { status: string; labels: Readonly<Record<string, string>> }[],
  ): Promise<void> {
    if (this.failing) throw new HeddleError({ code: 'unavailable', reason: 'AWAY', message: 'away' });
    const shown = alerts.map(({ status, labels }) => `${labels['alertname']} of ${labels['job']} ${status}`);
    this.told.push(
      `${Math.round((this.runtime.clock.wallMs() - this.#startMs) / 1000)}s ${shown.join(', ')}`,
    );
  }

  /** Does something that needs the disk. */
  run<T>(work: Promise<T>): Promise<T> {
    return this.runtime.time.run(work);
  }

  /** Minutes pass. */
  async pass(minutes: number): Promise<void> {
    const { time } = this.runtime;
    for (let left = minutes * minute; left > 0; left -= everyMs) {
      const { errors, seconds, memory } = this.now;
      const requests = 10 * (everyMs / 1000);
      this.#counts.all += requests;
      this.#counts.failed += requests * errors;
      this.#counts.seconds += requests * seconds;
      const add = (name: string, value: number, labels = {}): void =>
        this.store.add(
          Labels.of({ __name__: name, job: 'order', instance: 'a', ...labels }),
          this.runtime.clock.wallMs(),
          value,
        );
      add('http_requests_total', this.#counts.all - this.#counts.failed, { status_code: '200' });
      add('http_requests_total', this.#counts.failed, { status_code: '503' });
      add('http_request_duration_seconds_sum', this.#counts.seconds);
      add('http_request_duration_seconds_count', this.#counts.all);
      add('process_resident_memory_bytes', memory * 1000);
      add('process_memory_limit_bytes', 1000);
      await time.advance(everyMs);
    }
  }
}

test('the default rules fire when they have held for their time, and are resolved', async () => {
  const world = new World();
  const engine = world.engine();
  await world.run(engine.start());
  await world.pass(10);
  assert.deepEqual(world.told, []);
  world.now = { errors: 0.5, seconds: 5, memory: 0.9 };
  await world.pass(14);
  world.now = { errors: 0, seconds: 0.1, memory: 0.5 };
  await world.pass(6);
  await world.run(engine.stop());
  const at = (part: string): number =>
    Number.parseInt(world.told.find((each) => each.includes(part)) ?? 'none', 10);
  // Begun at 600 s; a rate over a minute needs up to a minute, the group waits 10 s, evaluations are 15 s apart.
  const within = (part: string, fromS: number, toS: number): void =>
    assert.ok(
      at(part) >= fromS && at(part) <= toS,
      `${part} between ${fromS} and ${toS} in\n${world.told.join('\n')}`,
    );
  within('HighErrorRate of order firing', 900, 990);
  within('HighMemoryUsage of order firing', 900, 960);
  within('HighResponseTime of order firing', 1200, 1290);
  within('HighErrorRate of order resolved', 1440, 1600);
  within('HighMemoryUsage of order resolved', 1440, 1600);
  within('HighResponseTime of order resolved', 1440, 1600);
  assert.equal(world.told.length, 6);
});

test('a restart in between keeps the states: nothing waits again, nothing is told twice', async () => {
  const world = new World();
  const first = world.engine();
  await world.run(first.start());
  await world.pass(2);
  world.now.errors = 0.5;
  await world.pass(3);
  await world.run(first.stop());
  // The pause itself counts: the expression held before it and holds after it.
  await world.pass(1);
  const second = world.engine();
  await world.run(second.start());
  await world.pass(3);
  assert.equal(world.told.length, 1);
  const [told = ''] = world.told;
  assert.match(told, /^4\d\ds HighErrorRate of order firing$/);
  await world.run(second.stop());
  const third = world.engine();
  await world.run(third.start());
  await world.pass(5);
  assert.equal(world.told.length, 1);
  world.now.errors = 0;
  await world.pass(5);
  await world.run(third.stop());
  assert.match(world.told[1] ?? '', /HighErrorRate of order resolved/);
});

test('a silence outlives a restart too', async () => {
  const world = new World();
  const first = world.engine();
  await world.run(first.start());
  const nowMs = world.runtime.clock.wallMs();
  const matchers = [{ name: 'alertname', value: 'HighErrorRate', isRegex: false, isEqual: true }];
  const times = { startsAtMs: nowMs, endsAtMs: nowMs + 60 * minute, updatedAtMs: nowMs };
  await world.run(
    first.take({ kind: 'silence', silence: { id: 's', matchers, ...times, createdBy: 'me', comment: '' } }),
  );
  await world.run(first.stop());
  const second = world.engine();
  await world.run(second.start());
  world.now.errors = 0.5;
  await world.pass(20);
  await world.run(second.stop());
  assert.deepEqual(world.told, []);
  assert.equal(Object.values(second.notify.alerts).length, 1);
});

test('a channel that is away is tried again until it takes the notification, and failures are counted', async () => {
  const world = new World();
  const engine = world.engine();
  await world.run(engine.start());
  await world.pass(1);
  world.now.memory = 0.9;
  world.failing = true;
  await world.pass(10);
  assert.deepEqual(world.told, []);
  const exposed = expose(world.registry);
  assert.match(exposed, /alert_notifications_total\{channel="webhook",outcome="failed"\} [5-9]/);
  assert.match(exposed, /alert_notifications_owed 1/);
  world.failing = false;
  await world.pass(5);
  await world.run(engine.stop());
  assert.equal(world.told.length, 1);
  assert.match(expose(world.registry), /outcome="delivered"\} 1/);
});

test('a recording rule’s series can be alerted on, and a rule that cannot be evaluated keeps what was', async () => {
  const rules = `groups:
  - name: own
    rules:
      - {record: job:memory, expr: sum by (job) (process_resident_memory_bytes)}
      - {alert: Big, expr: job:memory > 800}
      - alert: Broken
        expr: label_replace(http_requests_total, "status_code", "any", "status_code", ".*")
`;
  const world = new World();
  const engine = world.engine(rules);
  await world.run(engine.start());
  world.now.memory = 0.9;
  await world.pass(3);
  await world.run(engine.stop());
  assert.match(world.told[0] ?? '', /Big of order firing/);
  const [group] = engine.groups;
  const broken = group?.rules[2];
  assert.ok(group && broken);
  assert.notEqual(engine.evaluator.healthOf(group, broken)?.problem ?? '', '');
  assert.ok(engine.evaluator.failures > 0);
});

test('a damaged state is refused by name and not begun over', async () => {
  const world = new World();
  await world.run(world.runtime.disk.replace('alerts/state.json', new TextEncoder().encode('{')));
  await assert.rejects(
    world.run(world.engine().start()),
    /alerts\/state\.json: expected the state of alerts/,
  );
});
