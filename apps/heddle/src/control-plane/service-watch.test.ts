import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instance, instance } from '@heddle/discovery';
import type { Attention } from './overview.ts';
import { ServiceWatch } from './service-watch.ts';
import type { TrafficReading } from './traffic-reading.ts';

const stepMs = 2000;

/** A service and its two-second rounds; what each instance answers is up to the test. */
class Rounds {
  readonly watch = new ServiceWatch('order');
  nowMs = 0;

  round(listed: readonly string[], read: (id: string) => TrafficReading | undefined): void {
    this.nowMs += stepMs;
    const at = this.at;
    this.watch.listed(
      listed.map((id) => at1(id)),
      at,
    );
    for (const id of listed) this.watch.read(id, read(id), at);
    this.watch.stepped(at);
  }

  get at(): { nowMs: number; wallMs: number } {
    return { nowMs: this.nowMs, wallMs: 1e12 + this.nowMs };
  }

  get kinds(): string[] {
    return this.watch
      .attention()
      .map(({ kind, instance: id }: Attention) => (id === null ? kind : `${kind} ${id}`));
  }
}

function at1(id: string): Instance {
  return instance({ service: 'order', id, address: '10.0.0.1', port: 80 });
}

function served(requests: number, errors = 0): TrafficReading {
  const bounds = [0.1, Number.POSITIVE_INFINITY];
  return { requests, errors, bounds, counts: [requests, 0], inFlight: 1, cpuSeconds: 0, residentBytes: 5 };
}

test('nothing is shown that was not measured', () => {
  const rounds = new Rounds();
  rounds.round(['a'], () => served(100));
  const [view] = [rounds.watch.view(rounds.at)];
  assert.equal(view.traffic, null);
  assert.equal(view.instances[0]?.traffic, null);
  assert.deepEqual(view.history.perSecond, [null]);
});

test('rates add up over the instances', () => {
  const rounds = new Rounds();
  let total = 0;
  for (let at = 0; at < 5; at++) {
    total += 20;
    rounds.round(['a', 'b'], () => served(total, total / 20));
  }
  const { traffic, history, instances } = rounds.watch.view(rounds.at);
  assert.equal(traffic?.perSecond, 20);
  assert.equal(traffic?.errorShare, 0.05);
  assert.equal(instances[1]?.traffic?.perSecond, 10);
  assert.deepEqual(history.perSecond, [null, 20, 20, 20, 20]);
  assert.deepEqual(rounds.kinds, ['errors']);
});

test('a killed instance does not answer, then is lost, then is replaced', () => {
  const rounds = new Rounds();
  const answering = (id: string): TrafficReading | undefined => (id === 'a' ? undefined : served(1));
  rounds.round(['a', 'b'], () => served(1));
  rounds.round(['a', 'b'], answering);
  assert.deepEqual(rounds.kinds, ['instance_unreachable a']);
  assert.equal(rounds.watch.view(rounds.at).instances[0]?.metrics, 'unreachable');
  rounds.round(['b'], answering);
  assert.deepEqual(rounds.kinds, ['instance_lost a']);
  for (let at = 0; at < 20; at++) rounds.round(['b'], answering);
  assert.deepEqual(rounds.kinds, ['instance_lost a'], 'still missing');
  rounds.round(['b', 'c'], answering);
  rounds.round(['b', 'c'], answering);
  assert.deepEqual(rounds.kinds, [], 'as many answer again');
});

test('one that takes its leave is not lost', () => {
  const rounds = new Rounds();
  rounds.round(['a', 'b'], () => served(1));
  rounds.round(['b'], () => served(1));
  assert.deepEqual(rounds.kinds, []);
});

test('a service whose every instance was lost is down, and forgotten after ten minutes', () => {
  const rounds = new Rounds();
  rounds.round(['a'], () => served(1));
  rounds.round(['a'], () => undefined);
  rounds.round([], () => undefined);
  assert.deepEqual(rounds.kinds, ['service_down', 'instance_lost a']);
  assert.equal(rounds.watch.forgotten, false);
  rounds.nowMs += 600_000;
  rounds.round([], () => undefined);
  assert.deepEqual(rounds.kinds, []);
  assert.equal(rounds.watch.forgotten, true);
});

test('the history is bounded', () => {
  const rounds = new Rounds();
  for (let at = 0; at < 400; at++) rounds.round(['a'], () => served(at));
  assert.equal(rounds.watch.view(rounds.at).history.perSecond.length, 150);
});
