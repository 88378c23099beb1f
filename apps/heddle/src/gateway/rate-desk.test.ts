import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { VirtualTime } from '@heddle/kernel/simulated';
import { MemoryRateStore, type RateAsk } from '@heddle/traffic';
import type { Channel, ToSupervisor, ToWorker } from './messages.ts';
import { mergedMetrics } from './merged-metrics.ts';
import { RateDesk } from './rate-desk.ts';
import { SharedRateStore } from './shared-rate-store.ts';

const places: RateAsk = { key: 'all', rule: { algorithm: 'concurrency', limit: 3 }, cost: 1 };

/** Workers of one desk, with messages that arrive at once. */
class Floor {
  readonly time = new VirtualTime();
  readonly desk = new RateDesk(new MemoryRateStore(this.time.clock));
  messages = 0;

  worker(name: string): SharedRateStore {
    const listeners: ((message: ToWorker) => void)[] = [];
    const channel: Channel<ToWorker, ToSupervisor> = {
      onMessage: (listener) => void listeners.push(listener),
      send: (message) => {
        this.messages += 1;
        if (message.kind === 'release') for (const id of message.ids) this.desk.release(name, id);
        if (message.kind !== 'take') return;
        const taken = message.asks.map(([id, asks]) => [id, this.desk.take(name, id, asks)] as const);
        for (const listener of listeners) listener({ kind: 'taken', taken });
      },
    };
    return new SharedRateStore(channel, this.time.timers);
  }
}

describe('limits that workers share', () => {
  test('count over all workers; what comes in one turn goes in one message', async () => {
    const floor = new Floor();
    const [a, b] = [floor.worker('a'), floor.worker('b')];
    const ask: RateAsk = { key: 'k', rule: { algorithm: 'fixed_window', limit: 5, windowMs: 1000 }, cost: 1 };
    const all = Promise.all([a, a, a, a, b, b, b, b].map((worker) => worker.take([ask])));
    const verdicts = await floor.time.run(all);
    assert.equal(verdicts.filter(({ admitted }) => admitted).length, 5);
    assert.equal(floor.messages, 2);
  });

  test('places are given back by the call’s end, and by the worker’s', async () => {
    const floor = new Floor();
    const [a, b] = [floor.worker('a'), floor.worker('b')];
    const held = [[places], [places]];
    for (const asks of held) assert.ok((await floor.time.run(a.take(asks))).admitted);
    assert.ok((await floor.time.run(b.take([places]))).admitted);
    assert.ok(!(await floor.time.run(b.take([places]))).admitted);
    a.release(held[0] as RateAsk[]);
    a.release(held[0] as RateAsk[]);
    assert.ok((await floor.time.run(b.take([places]))).admitted);
    assert.ok(!(await floor.time.run(b.take([places]))).admitted);
    floor.desk.gone('a');
    assert.ok((await floor.time.run(b.take([places]))).admitted);
    assert.ok(!(await floor.time.run(b.take([places]))).admitted);
  });

  test('a decision that nobody has asked for is a mistake', () => {
    const listeners: ((message: ToWorker) => void)[] = [];
    const channel = {
      send: () => {},
      onMessage: (listener: (message: ToWorker) => void) => void listeners.push(listener),
    };
    new SharedRateStore(channel, new VirtualTime().timers);
    assert.throws(
      () => listeners[0]?.({ kind: 'taken', taken: [[7, { admitted: true, decisions: [] }]] }),
      (thrown) => thrown instanceof HeddleError && thrown.reason === 'NOT_ASKED',
    );
  });
});

test('metrics of several processes keep their families together, each sample with its worker', () => {
  const one =
    '# HELP a_total A.\n# TYPE a_total counter\na_total{x="1"} 2\n# HELP b B.\n# TYPE b gauge\nb 3\nb{} 4\n';
  assert.equal(
    mergedMetrics(
      new Map([
        ['1', one],
        ['2', one.replace('2\n', '5\n')],
      ]),
    ),
    `# HELP a_total A.
# TYPE a_total counter
a_total{worker="1",x="1"} 2
a_total{worker="2",x="1"} 5
# HELP b B.
# TYPE b gauge
b{worker="1"} 3
b{worker="1"} 4
b{worker="2"} 3
b{worker="2"} 4
`,
  );
});
