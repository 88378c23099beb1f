import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, classifyErrors, HeddleError, type Service, settle } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { Breaker, breaker } from '../breaker/breaker.ts';
import { Failover, failover } from './failover.ts';

function setting(): {
  time: VirtualTime;
  log: string[];
  send: (primary: Service<string, string>) => Promise<string>;
} {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const log: string[] = [];
  const state = new Failover(time.clock, { onTransition: ({ from, to }) => log.push(`${from} -> ${to}`) });
  const backup: Service<string, string> = async () => 'backup';
  const layer = failover<string, string>({ state, classify: classifyErrors, backup });
  const send = async (primary: Service<string, string>): Promise<string> => {
    const result = await time.run(settle(layer(primary), 'x', Call.root(runtime)));
    return result.ok ? result.value : result.error.reason;
  };
  return { time, log, send };
}

const down: Service<string, string> = () =>
  Promise.reject(new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'down' }));
const well: Service<string, string> = async () => 'primary';

test('primary down, backup serves, and traffic returns in steps', async () => {
  const { time, log, send } = setting();
  for (let n = 0; n < 5; n++) assert.equal(await send(down), 'DOWN');
  assert.equal(await send(down), 'backup');
  await time.advance(30_000);
  for (let n = 0; n < 3; n++) assert.equal(await send(well), 'primary');
  const shares: number[] = [];
  for (let step = 0; step < 4; step++) {
    let primary = 0;
    for (let n = 0; n < 1000; n++) if ((await send(well)) === 'primary') primary++;
    shares.push(primary / 1000);
    await time.advance(10_000);
    while ((await send(well)) !== 'primary');
  }
  assert.ok(
    Math.abs((shares[0] ?? 0) - 0.1) < 0.03 && Math.abs((shares[1] ?? 0) - 0.5) < 0.05,
    shares.join(' '),
  );
  assert.deepEqual(shares.slice(2), [1, 1]);
  assert.deepEqual(log, [
    'primary -> backup',
    'backup -> probing',
    'probing -> returning 10 %',
    'returning 10 % -> returning 50 %',
    'returning 50 % -> returning 100 %',
    'returning 100 % -> primary',
  ]);
});

test('a call that the breaker refuses goes to the backup at once, as do all after it', async () => {
  const { time, log, send } = setting();
  const state = new Breaker(bareRuntime(time), { name: 'order', consecutiveFailures: 2 });
  const guarded = breaker<string, string>(state, { classify: classifyErrors })(down);
  assert.deepEqual(
    [await send(guarded), await send(guarded), await send(guarded)],
    ['DOWN', 'DOWN', 'backup'],
  );
  assert.equal(await send(well), 'backup');
  assert.deepEqual(log, ['primary -> backup']);
  state.close();
});
