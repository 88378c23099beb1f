import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App } from '@heddle/kernel';
import { Fleet } from '../testing/fleet.ts';
import { recordWatch } from '../testing/watch-record.ts';
import { appRegistration } from './app-registration.ts';

test('an app is registered while it serves: after its parts have started, until before they drain', async () => {
  const fleet = new Fleet();
  await fleet.serve('registry');
  const watch = recordWatch(fleet.client('watcher').registry, 'users');
  const { registry, on } = fleet.client('a');
  const steps: string[] = [];
  const note = (step: string) => async (): Promise<void> => void steps.push(`${step} ${watch.ids}`);
  let port = 0;
  const part = {
    name: 'server',
    start: async (): Promise<void> => {
      port = 8080;
    },
    drain: note('drain'),
    stop: note('stop'),
  };
  const registration = appRegistration(registry, () => ({ service: 'users', id: 'a', address: 'a', port }));
  const app = new App({ name: 'users', runtime: on, parts: [part], registrations: [registration] });
  await fleet.time.run(app.start());
  await fleet.time.runUntil(() => watch.ids === 'a', 2000);
  assert.deepEqual([registration.desired?.registered, watch.latest?.instances[0]?.port], [true, 8080]);
  const report = await fleet.time.run(app.stop());
  assert.deepEqual(report.problems, []);
  assert.deepEqual(steps, ['drain ', 'stop '], 'watchers had heard of it by then');
});

test('an app starts and stops while its registry is away, within the time that each step has', async () => {
  const fleet = new Fleet();
  const server = await fleet.serve('registry');
  server.on.process.end('killed');
  const { registry, on } = fleet.client('a');
  const registration = appRegistration(registry, () => ({ service: 'users', address: 'a', port: 1 }));
  const app = new App({ name: 'users', runtime: on, parts: [], registrations: [registration] });
  await fleet.time.run(app.start(), 8000);
  assert.deepEqual([app.state, registration.desired?.registered], ['running', false]);
  const report = await fleet.time.run(app.stop(), 8000);
  assert.deepEqual(report.problems, [], 'nothing was ever registered, so nothing had to be taken back');
});
