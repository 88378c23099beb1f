import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readNotifyConfig } from './notify-config.ts';
import { type Delivery, noNotifyState, type NotifyState } from './notify-state.ts';
import { afterRestart, nextTickMs, type NotifyInput, type SaidAlert, stepNotify } from './notify-step.ts';

const second = 1000;
const minute = 60 * second;

const text = (more = '', inhibit = ''): string => `
route:
  receiver: team
  group_by: [alertname]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
${more}
receivers:
  - name: team
    webhook_configs: [{url: http://127.0.0.1/hook}]
  - name: silent
    webhook_configs: [{url: http://127.0.0.1/hook, send_resolved: false}]
${inhibit}
`;

/** A notifier on a clock that is moved by hand; each delivery succeeds unless `fails`. */
class Desk {
  state: NotifyState = noNotifyState;
  nowMs = 0;
  fails = false;
  readonly told: string[] = [];
  readonly #config;

  constructor(config = text()) {
    this.#config = readNotifyConfig('test.yml', config);
  }

  input(input: NotifyInput): readonly Delivery[] {
    const { state, deliveries } = stepNotify(this.#config, this.state, input, this.nowMs);
    // What is written down must be all there is to it.
    this.state = JSON.parse(JSON.stringify(state)) as NotifyState;
    return deliveries;
  }

  say(name: string, labels: Record<string, string> = {}, endsAtMs = 1e12): void {
    const alert: SaidAlert = {
      labels: { alertname: name, ...labels },
      annotations: {},
      endsAtMs,
      generatorUrl: '',
    };
    this.input({ kind: 'alerts', alerts: [alert] });
  }

  /** Time passes; ticks come when they are due. */
  until(ms: number): void {
    for (;;) {
      const next = nextTickMs(this.state);
      if (next === undefined || next > ms) break;
      this.nowMs = Math.max(this.nowMs, next);
      for (const delivery of this.input({ kind: 'tick' })) this.#deliver(delivery);
    }
    this.nowMs = ms;
  }

  #deliver(delivery: Delivery): void {
    const { receiver, alerts } = delivery.notification;
    const shown = alerts.map(
      ({ labels, status }) => `${labels['alertname']}${labels['job'] ?? ''} ${status}`,
    );
    const outcome = this.fails ? 'failed ' : '';
    this.told.push(`${this.nowMs / second}s ${outcome}${receiver}: ${shown.join(', ')}`);
    this.input(this.fails ? { kind: 'failed', delivery, problem: 'away' } : { kind: 'delivered', delivery });
  }
}

test('alerts of a group are told together after its wait, and again after the repeat interval', () => {
  const desk = new Desk();
  desk.say('A', { job: '1' });
  desk.until(10 * second);
  desk.say('A', { job: '2' });
  desk.until(5 * 60 * minute);
  assert.deepEqual(desk.told, ['30s team: A1 firing, A2 firing', '14430s team: A1 firing, A2 firing']);
});

test('what comes later is told at the next interval of the group', () => {
  const desk = new Desk();
  desk.say('A', { job: '1' });
  desk.until(minute);
  desk.say('A', { job: '2' });
  desk.until(20 * minute);
  assert.deepEqual(desk.told, ['30s team: A1 firing', '330s team: A1 firing, A2 firing']);
});

test('an end is told once, and then nothing is remembered', () => {
  const desk = new Desk();
  desk.say('A');
  desk.until(minute);
  desk.say('A', {}, desk.nowMs);
  desk.until(60 * minute);
  assert.deepEqual(desk.told, ['30s team: A firing', '330s team: A resolved']);
  assert.deepEqual(desk.state, noNotifyState);
});

test('an alert that nobody tells of again ends by itself', () => {
  const desk = new Desk();
  desk.say('A', {}, 2 * minute);
  desk.until(60 * minute);
  assert.deepEqual(desk.told, ['30s team: A firing', '330s team: A resolved']);
});

test('an alert that ends before its group is told of is not told at all', () => {
  const desk = new Desk();
  desk.say('A', {}, 10 * second);
  desk.until(60 * minute);
  assert.deepEqual(desk.told, []);
});

test('what failed is sent again, later and later, and is told even if it has ended meanwhile', () => {
  const desk = new Desk();
  desk.fails = true;
  desk.say('A', {}, 40 * second);
  desk.until(41 * second);
  assert.deepEqual(
    desk.told,
    [30, 31, 33, 37].map((at) => `${at}s failed team: A firing`),
  );
  desk.fails = false;
  desk.until(60 * minute);
  assert.deepEqual(desk.told.slice(4), ['45s team: A resolved']);
  assert.deepEqual(desk.state, noNotifyState);
});

test('pauses between tries grow to five minutes and no further', () => {
  const desk = new Desk();
  desk.fails = true;
  desk.say('A');
  desk.until(60 * minute);
  const times = desk.told.map((each) => Number.parseInt(each, 10));
  const pauses = times.slice(1).map((time, at) => time - (times[at] ?? 0));
  assert.deepEqual(pauses.slice(0, 10), [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
  assert.equal(Math.max(...pauses), 300);
});

test('a silence holds alerts back until it ends', () => {
  const desk = new Desk();
  const matchers = [{ name: 'job', value: '1|2', isRegex: true, isEqual: true }];
  const silence = {
    id: 's',
    matchers,
    startsAtMs: 0,
    endsAtMs: 8 * minute,
    updatedAtMs: 0,
    createdBy: '',
    comment: '',
  };
  desk.input({ kind: 'silence', silence });
  desk.say('A', { job: '1' });
  desk.say('A', { job: '3' });
  desk.until(20 * minute);
  assert.deepEqual(desk.told, ['30s team: A3 firing', '630s team: A1 firing, A3 firing']);
  desk.input({ kind: 'silence', silence: { ...silence, id: 't', endsAtMs: 1e12 } });
  desk.input({ kind: 'expire', id: 't' });
  assert.equal(desk.state.silences['t']?.endsAtMs, 20 * minute);
});

test('an alert holds back those that it explains', () => {
  const rule = `inhibit_rules:
  - {source_matchers: [severity="critical"], target_matchers: ['severity=~"warning|critical"'], equal: [job]}`;
  const desk = new Desk(text('', rule));
  desk.say('Slow', { job: '1', severity: 'warning' });
  desk.say('Slow', { job: '2', severity: 'warning' });
  desk.say('Down', { job: '1', severity: 'critical' });
  desk.until(minute);
  assert.deepEqual(desk.told, ['30s team: Slow2 firing', '30s team: Down1 firing']);
});

test('routes are tried in turn, and a receiver that wants no ends hears of none', () => {
  const routes = `  routes:
    - {matchers: [job="1"], receiver: silent, group_wait: 0s, continue: true}
    - {matchers: [job=~"1|2"], receiver: team, group_wait: 1s}`;
  const desk = new Desk(text(routes));
  desk.say('A', { job: '1' });
  desk.say('B', { job: '3' });
  desk.until(minute);
  desk.say('A', { job: '1' }, desk.nowMs);
  desk.until(60 * minute);
  assert.deepEqual(desk.told, [
    '0s silent: A1 firing',
    '1s team: A1 firing',
    '30s team: B3 firing',
    '301s team: A1 resolved',
  ]);
});

test('a process that dies with a notification on its way sends it again', () => {
  const desk = new Desk();
  desk.say('A');
  desk.nowMs = 30 * second;
  assert.equal(desk.input({ kind: 'tick' }).length, 1);
  assert.equal(desk.input({ kind: 'tick' }).length, 0);
  desk.state = afterRestart(desk.state, desk.nowMs);
  desk.until(minute);
  assert.deepEqual(desk.told, ['30s team: A firing']);
});

test('whatever fails, every alert that was tried is told in the end, and nothing is told of twice while all goes well', () => {
  const events = fc.array(
    fc.record({
      job: fc.integer({ min: 1, max: 3 }),
      ends: fc.boolean(),
      fails: fc.boolean(),
      waitS: fc.nat(400),
    }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(events, (all) => {
      const desk = new Desk();
      for (const { job, ends, fails, waitS } of all) {
        desk.fails = fails;
        desk.say('A', { job: String(job) }, ends ? desk.nowMs : 1e12);
        desk.until(desk.nowMs + waitS * second);
      }
      desk.fails = false;
      for (const job of [1, 2, 3]) desk.say('A', { job: String(job) }, desk.nowMs);
      desk.until(desk.nowMs + 24 * 60 * minute);
      assert.deepEqual(desk.state, noNotifyState);
      const delivered = desk.told.filter((each) => !each.includes('failed')).join('\n');
      for (const job of [1, 2, 3])
        if (desk.told.some((each) => each.includes(`A${job} `)))
          assert.match(delivered, new RegExp(`A${job} `));
    }),
    { numRuns: 200 },
  );
});
