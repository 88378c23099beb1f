import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, classifyErrors, HeddleError, type Service, settle } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { type Guard, type GuardOptions, Guards, type SharedVerdicts, type Verdict } from './guard.ts';

/** Processes that call one instance, with what they tell each other. */
class Processes {
  readonly time: VirtualTime = new VirtualTime();
  readonly told: Verdict[] = [];
  readonly #listeners: ((verdict: Verdict) => void)[] = [];
  readonly #runtime = bareRuntime(this.time);
  readonly #post: (() => void)[] = [];
  fails = true;
  /** What is told is on its way. */
  held = false;

  /** What is on its way arrives. */
  release(): void {
    this.held = false;
    for (const deliver of this.#post.splice(0)) deliver();
  }

  guard(breaker: object): Guard<string, string> {
    const [guard] = this.guards(['a'], { breaker, outliers: false });
    assert.ok(guard !== undefined);
    return guard;
  }

  /** Those of one more process. */
  guards(ids: readonly string[], judgement: Partial<GuardOptions<string, string>>): Guard<string, string>[] {
    const at = this.#listeners.length;
    const shared: SharedVerdicts = {
      tell: (verdict) => {
        this.told.push(verdict);
        this.#post.push(() => {
          for (const [other, listener] of this.#listeners.entries()) if (other !== at) listener(verdict);
        });
        if (!this.held) this.release();
      },
      onVerdict: (listener) => {
        this.#listeners.push(listener);
        return () => {};
      },
    };
    const options = { classify: classifyErrors, shared, ...judgement };
    const service: Service<string, string> = async () => {
      if (this.fails) throw new HeddleError({ code: 'unavailable', reason: 'TEST', message: 'test' });
      return 'fine';
    };
    const guards = new Guards<string, string>(this.#runtime, options, () => {});
    return ids.map((id) => guards.guard(id, service));
  }

  async call({ service }: Guard<string, string>, times = 1): Promise<void> {
    for (let n = 0; n < times; n++) await settle(service, 'x', Call.root(this.#runtime));
    await this.time.advance(10);
  }
}

test('failures of all processes together open the breaker of each', async () => {
  const processes = new Processes();
  const [one, other] = [
    processes.guard({ consecutiveFailures: 5 }),
    processes.guard({ consecutiveFailures: 5 }),
  ];
  await processes.call(one, 2);
  await processes.call(other, 2);
  assert.deepEqual([one.blocked, other.blocked], [undefined, undefined]);
  await processes.call(one);
  assert.deepEqual([one.blocked?.reason, other.blocked?.reason], ['breaker_open', 'breaker_open']);
});

test('a call that went well anywhere ends the row of failures everywhere', async () => {
  const processes = new Processes();
  const [one, other] = [
    processes.guard({ consecutiveFailures: 3 }),
    processes.guard({ consecutiveFailures: 3 }),
  ];
  await processes.call(one, 2);
  processes.fails = false;
  await processes.call(other);
  processes.fails = true;
  await processes.call(one, 2);
  assert.deepEqual([one.blocked, other.blocked], [undefined, undefined]);
  await processes.call(other);
  assert.deepEqual([one.blocked?.reason, other.blocked?.reason], ['breaker_open', 'breaker_open']);
});

test('many failures are told together, and calls that go well not at all', async () => {
  const processes = new Processes();
  const one = processes.guard({ consecutiveFailures: 100 });
  await processes.call(one, 40);
  const counted = (calls: number, failures: number): Verdict => {
    const breaker = { calls, failures, failuresInARow: failures, totalMs: 0 };
    return { kind: 'counted', instances: [{ id: 'a', breaker }] };
  };
  assert.deepEqual(processes.told, [counted(40, 40)]);
  processes.fails = false;
  await processes.call(one, 10);
  assert.deepEqual(processes.told.slice(1), [counted(1, 0)]);
});

test('a share of failures is of the calls of all processes', async () => {
  const processes = new Processes();
  const rules = {
    consecutiveFailures: 1000,
    failureRate: { share: 0.5, minCalls: 12, windowMs: 10_000 },
  };
  const [one, other] = [processes.guard(rules), processes.guard(rules)];
  // What goes well here weighs against what fails there.
  processes.fails = false;
  await processes.call(one, 6);
  await processes.time.advance(100);
  processes.fails = true;
  await processes.call(other, 5);
  assert.deepEqual([one.blocked, other.blocked], [undefined, undefined]);
  await processes.call(one);
  assert.deepEqual([one.blocked?.reason, other.blocked?.reason], ['breaker_open', 'breaker_open']);
  const opened = processes.told.filter(({ kind }) => kind === 'breaker');
  assert.equal(opened.length, 1);
  assert.match(opened[0]?.kind === 'breaker' ? opened[0].why : '', /^6 of 12 calls failed/);
});

test('failures in a row of all processes together eject', async () => {
  const processes = new Processes();
  const judgement = { outliers: { consecutiveFailures: 5 } };
  const [[one], [other]] = [processes.guards(['a', 'b'], judgement), processes.guards(['a', 'b'], judgement)];
  assert.ok(one !== undefined && other !== undefined);
  await processes.call(one, 2);
  await processes.call(other, 2);
  assert.deepEqual([one.blocked, other.blocked], [undefined, undefined]);
  await processes.call(other);
  assert.deepEqual([one.blocked?.reason, other.blocked?.reason], ['ejected', 'ejected']);
  const ejected = processes.told.filter(({ kind }) => kind === 'ejected');
  assert.equal(ejected.length, 1, 'who is told has found out nothing');
});

test('instances are compared by the calls of all processes', async () => {
  const processes = new Processes();
  const outliers = {
    consecutiveFailures: 1000,
    intervalMs: 10_000,
    maxEjectedShare: 0.5,
    latency: undefined,
    // More than either process sees of any.
    successRate: { minInstances: 3, minCalls: 30, deviations: 1 },
  };
  const ids = ['a', 'b', 'c'];
  const all = [processes.guards(ids, { outliers }), processes.guards(ids, { outliers })];
  const round = async (): Promise<void> => {
    for (const guards of all)
      for (const [at, guard] of guards.entries()) {
        processes.fails = at === 2;
        await processes.call(guard);
      }
  };
  for (let n = 0; n < 20; n++) await round();
  await processes.time.advance(10_000);
  await round();
  assert.deepEqual(
    all.map((guards) => guards.map(({ blocked }) => blocked?.reason)),
    all.map(() => [undefined, undefined, 'ejected']),
  );
});

test('two that eject at the same time do not eject more than may be, and agree', async () => {
  const processes = new Processes();
  const judgement = { outliers: { consecutiveFailures: 3, maxEjectedShare: 0.1 } };
  const [first, second] = [processes.guards(['a', 'b'], judgement), processes.guards(['a', 'b'], judgement)];
  // Neither hears of the other before it has found out itself.
  processes.held = true;
  for (let n = 0; n < 3; n++) {
    await processes.call(first[0] as Guard<string, string>);
    await processes.call(second[1] as Guard<string, string>);
  }
  processes.release();
  const reasons = [first, second].map((guards) => guards.map(({ blocked }) => blocked?.reason));
  assert.deepEqual(reasons, [
    ['ejected', undefined],
    ['ejected', undefined],
  ]);
});
