// `heddle alerts` and `heddle export`, as a user starts them, on a control plane that runs.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { StartedCli } from '../node/started-cli.ts';

const token = 'sesame-0123456789-0123456789-0123456789';
const env = { HEDDLE_REGISTRY_TOKEN: token };
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-alerts-'));
const alertFolder = path.join(folder, 'alerts');

// It holds at once and always: of a store that nothing has come into yet, too.
const rules = `groups:
  - name: own
    interval: 1s
    rules:
      - alert: AlwaysThere
        expr: vector(7)
        labels: {severity: info, job: order}
        annotations: {summary: 'there are {{ $value }}'}
`;
const notify = `
route: {receiver: hook, group_wait: 0s, group_interval: 1s}
receivers:
  - name: hook
    webhook_configs: [{url: "http://127.0.0.1:9/hook"}]
`;

describe('alerts', { timeout: 600_000 }, () => {
  let plane: StartedCli;
  let place = '';
  const ended = async (...args: readonly string[]): Promise<[code: number | null, output: string]> => {
    const cli = new StartedCli(args, env);
    return [await cli.exited, cli.output];
  };
  const alerts = async (...args: readonly string[]): Promise<string> => {
    const [code, output] = await ended('alerts', ...args, '--plane', place);
    assert.equal(code, 0, output);
    return output;
  };
  /** Waits by the API, which the commands ask too. */
  const until = async (where: string, pattern: RegExp): Promise<void> => {
    let text = '';
    for (let turn = 0; turn < 3000; turn++) {
      const headers = { authorization: `Bearer ${token}` };
      text = await (await fetch(`http://${place}${where}`, { headers })).text();
      if (pattern.test(text)) return;
      await delay(20);
    }
    assert.fail(`${where} never showed ${pattern}: ${text}`);
  };
  const start = async (): Promise<void> => {
    const args = [
      'control-plane',
      '--port',
      '0',
      '--data',
      path.join(folder, 'data'),
      '--alerts',
      alertFolder,
    ];
    plane = new StartedCli(args, env);
    [, place = ''] = await plane.printed(/"address":"([^"]+)"/);
  };

  before(async () => {
    mkdirSync(alertFolder);
    writeFileSync(path.join(alertFolder, 'own.yml'), rules);
    writeFileSync(path.join(alertFolder, 'alertmanager.yml'), notify);
    await start();
  });
  after(async () => {
    plane.child.kill('SIGTERM');
    await plane.exited;
    rmSync(folder, { recursive: true, force: true });
  });

  test('an alert fires, is told to a webhook that is away, and can be silenced; a kill in between keeps all of it', async () => {
    await until('/api/v2/alerts', /AlwaysThere/);
    assert.match(await alerts(), /AlwaysThere +firing +info +\S+ +there are 7/);
    assert.match(await alerts('rules'), /heddle-defaults +HighErrorRate +inactive +300 s/);
    await until('/api/notifications', /"failures":[1-9]/);
    assert.match(await alerts('notifications'), /hook +webhook .* never .* failed, again in/);
    const made = await alerts(
      'silence',
      'alertname=~Always.*',
      '--for',
      '1h',
      '--comment',
      'known',
      '--by',
      'me',
    );
    const [, id = ''] = /silence (\S+) until/.exec(made) ?? [];
    await until('/api/v2/alerts', /"state":"suppressed"/);
    plane.child.kill('SIGKILL');
    await plane.exited;
    await start();
    const silences = await alerts('silences');
    assert.match(silences, new RegExp(`${id} +active .*alertname=~"Always.*" +me +known`));
    await until('/api/v2/alerts', /"state":"suppressed"/);
    await alerts('unsilence', id);
    const shown = JSON.parse(await alerts('ls', '--json')) as { firing: { labels: object }[] };
    assert.deepEqual(shown.firing[0]?.labels, { alertname: 'AlwaysThere', severity: 'info', job: 'order' });
  });

  test('what changes something needs the token', async () => {
    const cli = new StartedCli(['alerts', 'silence', 'a=b', '--plane', place], {
      HEDDLE_REGISTRY_TOKEN: 'wrong',
    });
    assert.equal(await cli.exited, 1);
    assert.match(cli.output, /answered 401/);
  });

  test('a folder is checked before it is used', async () => {
    const [good, said] = await ended('alerts', 'check', alertFolder);
    assert.deepEqual([good, said], [0, '4 rules in 2 groups; 1 receivers with 1 channels\n']);
    const wrong = path.join(folder, 'wrong');
    mkdirSync(wrong);
    writeFileSync(
      path.join(wrong, 'a.yml'),
      rules.replace('vector(7)', 'vector(').replace('interval', 'intervall'),
    );
    const [bad, why] = await ended('alerts', 'check', wrong);
    assert.equal(bad, 1);
    assert.match(why, /a\.yml:3:5: .*unknown key "intervall"[^]*a\.yml:6:15: /);
  });

  test('rules and dashboards are written out', async () => {
    const [code, document] = await ended('export', 'prometheus-rules', '--alerts', alertFolder);
    assert.equal(code, 0);
    assert.match(document, /- name: own\n +interval: 1s[^]*expr: vector\(7\)/);
    const out = path.join(folder, 'grafana');
    const [done, files] = await ended('export', 'grafana', '--out', out);
    assert.equal(done, 0, files);
    assert.ok(readdirSync(out).includes('heddle-services.json'));
  });
});
