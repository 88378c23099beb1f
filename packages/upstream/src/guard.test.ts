import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, classifyErrors, HeddleError, type Service, settle } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { type Guard, Guards, type SharedVerdicts, type Verdict } from './guard.ts';

/** Processes that call one instance, with what they tell each other. */
class Processes {
  readonly time: VirtualTime = new VirtualTime();
  readonly told: Verdict[] = [];
  readonly #listeners: ((verdict: Verdict) => void)[] = [];
  readonly #runtime = bareRuntime(this.time);
  fails = true;

  guard(breaker: object): Guard<string, string> {
    const at = this.#listeners.length;
    const shared: SharedVerdicts = {
      tell: (verdict) => {
        this.told.push(verdict);
        for (const [other, listener] of this.#listeners.entries()) if (other !== at) listener(verdict);
      },
      onVerdict: (listener) => {
        this.#listeners.push(listener);
        return () => {};
      },
    };
    const options = { classify: classifyErrors, breaker, outliers: false as const, shared };
    const service: Service<string, string> = async () => {
      if (this.fails) throw new HeddleError({ code: 'unavailable', reason: 'TEST', message: 'test' });
      return 'fine';
    };
    return new Guards<string, string>(this.#runtime, options, () => {}).guard('a', service);
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
  assert.deepEqual(processes.told, [{ kind: 'counted', id: 'a', succeeded: false, failures: 40 }]);
  processes.fails = false;
  await processes.call(one, 10);
  assert.deepEqual(processes.told.slice(1), [{ kind: 'counted', id: 'a', succeeded: true, failures: 0 }]);
});
