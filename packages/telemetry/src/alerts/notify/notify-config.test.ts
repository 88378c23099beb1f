import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fingerprintOf, meets, readMatcher, readMatchers } from './matcher.ts';
import { readNotifyConfig, tellNobody } from './notify-config.ts';

const whole = `
global:
  smtp_from: heddle@example.org
  smtp_smarthost: mail.example.org:587
  smtp_auth_username: heddle
  smtp_auth_password: a-secret
  slack_api_url_file: slack.txt
route:
  receiver: team
  group_by: ['...']
  routes:
    - matchers: ['severity = "critical"', team!=ops]
      receiver: pager
      repeat_interval: 1h
receivers:
  - name: team
    email_configs: [{to: team@example.org}]
    slack_configs: [{channel: '#alerts'}]
  - name: pager
    webhook_configs:
      - url: https://pager.example.org/secret-path
`;

test('a configuration in Alertmanager’s words is read', () => {
  const { route, receivers, shown } = readNotifyConfig('alertmanager.yml', whole);
  assert.equal(route.groupBy, 'all');
  const [inner] = route.routes;
  assert.deepEqual(
    [inner?.receiver, inner?.repeatIntervalMs, inner?.groupWaitMs],
    ['pager', 3_600_000, 30_000],
  );
  assert.ok(inner && meets({ severity: 'critical' }, inner.matchers));
  assert.ok(!meets({ severity: 'critical', team: 'ops' }, inner.matchers));
  const [mail, chat] = receivers[0]?.channels ?? [];
  assert.ok(mail?.kind === 'email' && mail.smarthost === 'mail.example.org:587' && mail.requireTls);
  assert.ok(chat?.kind === 'slack' && chat.url.file === 'slack.txt');
  assert.doesNotMatch(shown, /a-secret|secret-path/);
  assert.match(shown, /smtp_auth_username: heddle/);
});

test('with nothing configured nobody is told', () => {
  assert.deepEqual(readNotifyConfig('x', tellNobody).receivers, [{ name: 'nobody', channels: [] }]);
});

test('all that is wrong is told at once', () => {
  const wrong = `
route:
  receiver: teem
  group_interval: 0s
  mute_time_intervals: [night]
  routes: [{matchers: [severity], continue: maybe}]
receivers:
  - name: team
    webhook_configs: [{url: "ftp://x"}]
    email_configs: [{to: a@example.org}]
    pagerduty_configs: []
`;
  assert.throws(
    () => readNotifyConfig('a.yml', wrong),
    (thrown: Error) => {
      for (const part of [
        'a.yml:3:13: route.receiver: expected the name of a receiver (team), found "teem"',
        'a.yml:4:19: route.group_interval: expected a duration of more than 0',
        'unknown key "mute_time_intervals"',
        'expected a matcher such as severity="critical", found "severity"',
        'expected true or false, found "maybe"',
        'expected a URL of http or https',
        'email_configs[0].from: expected a text, here or as global.smtp_from',
        'unknown key "pagerduty_configs"',
      ])
        assert.ok(thrown.message.includes(part), `${part} in\n${thrown.message}`);
      return true;
    },
  );
});

test('matchers are read as Alertmanager writes them', () => {
  assert.deepEqual(readMatcher('a=~"b|c"'), { name: 'a', value: 'b|c', isRegex: true, isEqual: true });
  assert.deepEqual(readMatchers('{a="x, y", b!~z.*}'), [
    { name: 'a', value: 'x, y', isRegex: false, isEqual: true },
    { name: 'b', value: 'z.*', isRegex: true, isEqual: false },
  ]);
  const wrong = readMatcher('a=~"("');
  assert.ok(typeof wrong === 'string' && wrong.includes('regular expression'));
});

test('a fingerprint is Alertmanager’s, in whatever order the labels come', () => {
  // As Alertmanager 0.27 shows it.
  assert.equal(fingerprintOf({ alertname: 'Test' }), 'e46aaa9fcf75dd34');
  assert.equal(fingerprintOf({ alertname: 'Ä', job: 'x', z: 'long value 1' }), '7ab4a8b0cd250d8c');
  assert.equal(fingerprintOf({ a: '1', b: '2' }), fingerprintOf({ b: '2', a: '1' }));
  assert.notEqual(fingerprintOf({ a: '12' }), fingerprintOf({ a1: '2' }));
});
