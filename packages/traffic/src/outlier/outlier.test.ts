import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, classifyErrors, HeddleError, type Service, settle, sleep } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { outlier } from './outlier.ts';
import { OutlierDetector, type OutlierOptions } from './outlier-detector.ts';

function setting(options: OutlierOptions = {}): {
  time: VirtualTime;
  detector: OutlierDetector;
  log: string[];
  send: (id: string, service: Service<string, string>) => Promise<unknown>;
} {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const log: string[] = [];
  const onChange: OutlierOptions['onChange'] = (effect) => log.push(`${effect.kind} ${effect.id}`);
  const detector = new OutlierDetector(runtime, { onChange, ...options });
  for (const id of ['a', 'b', 'c', 'd', 'e']) detector.instance(id);
  const send = (id: string, service: Service<string, string>): Promise<unknown> => {
    const layer = outlier<string, string>(detector.instance(id), { classify: classifyErrors });
    return time.run(settle(layer(service), 'x', Call.root(runtime)));
  };
  return { time, detector, log, send };
}

const down = new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'down' });
const fails: Service<string, string> = () => Promise.reject(down);
const within =
  (ms: number): Service<string, string> =>
  async (req, call) => {
    await sleep(call.runtime.timers, ms);
    return req;
  };

test('five failures in a row eject, the time brings it back, and no timer stays', async () => {
  const { time, detector, log, send } = setting();
  for (let n = 0; n < 5; n++) await send('a', fails);
  assert.equal(detector.instance('a').blocked?.reason, 'ejected');
  assert.equal(detector.instance('b').blocked, undefined);
  await time.advance(30_000);
  assert.equal(detector.instance('a').blocked, undefined);
  assert.deepEqual(log, ['ejected a', 'restored a']);
  assert.equal(time.pending, 0);
});

test('one that is much slower than the others is ejected at the end of the interval', async () => {
  const { detector, send } = setting({ latency: { minInstances: 3, minCalls: 10, factor: 4 } });
  for (let n = 0; n < 80; n++)
    for (const id of ['a', 'b', 'c', 'd', 'e']) await send(id, within(id === 'c' ? 100 : 10));
  assert.match(detector.instance('c').blocked?.detail ?? '', /100\.0 ms a call where the median is 10\.0 ms/);
  assert.equal(detector.state.ejected.size, 1);
});

test('a stream counts at its end, with the time to its beginning', async () => {
  const { detector, send } = setting({ consecutiveFailures: 1 });
  let stream: Call | undefined;
  await send('a', async (req, call) => {
    stream = call;
    call.deferEnd();
    return req;
  });
  assert.equal(detector.instance('a').blocked, undefined);
  stream?.end(down);
  assert.equal(detector.instance('a').blocked?.reason, 'ejected');
});

test('one that leaves the registry leaves the ejected ones', async () => {
  const { time, detector, send } = setting({ consecutiveFailures: 1 });
  await send('a', fails);
  detector.forget('a');
  assert.equal(detector.state.ejected.size, 0);
  assert.equal(detector.instance('a').blocked, undefined);
  detector.close();
  assert.equal(time.pending, 0);
});
