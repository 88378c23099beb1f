import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readUpState, type UpState } from '../node/data-folder.ts';
import { StartedCli } from '../node/started-cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-config-front-'));
const data = path.join(folder, 'data');
const gatewayFile = path.join(folder, 'gateway.yaml');
let cli: StartedCli;
let up: UpState;

before(async () => {
  writeFileSync(
    gatewayFile,
    `auth: { apiKeys: { keys: [] } }
routes:
  - { path: /open, respond: { status: 200, body: open } }
  - { path: /closed, respond: { status: 200, body: closed }, auth: { any: [apiKey] } }
  - { path: /other, respond: { status: 200, body: other }, auth: { any: [apiKey] } }
`,
  );
  cli = new StartedCli(['up', '--port', '0', '--console-port', '0', '--config', gatewayFile, '--data', data]);
  await cli.printed(/ready\n +console/);
  up = readUpState(data);
});
after(async () => {
  cli.child.kill('SIGTERM');
  await cli.exited;
  rmSync(folder, { recursive: true, force: true });
});

async function config(...words: string[]): Promise<{ code: number | null; output: string }> {
  const ran = new StartedCli(['config', ...words, '--data', data]);
  return { code: await ran.exited, output: ran.output };
}

function ask(at: string, key?: string): Promise<Response> {
  return fetch(`${up.gateway}${at}`, { headers: key === undefined ? {} : { 'x-api-key': key } });
}

async function becomes(status: number, at: string, key?: string): Promise<Response> {
  for (;;) {
    const answer = await ask(at, key);
    if (answer.status === status) return answer;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe('the config centre of heddle up', { timeout: 240_000 }, () => {
  test('a change by the command is pushed to the gateway, which says where its settings come from', async () => {
    assert.equal((await ask('/closed', 'a key of 20 letters!')).status, 401);
    const sha256 = createHash('sha256').update('a key of 20 letters!').digest('hex');
    const value = JSON.stringify({ sha256, quota: { limit: 3, windowMs: 86_400_000 } });
    const set = await config('set', 'default/heddle/gateway', `apiKeys.ci=${value}`, '--why', 'for CI');
    assert.equal(set.code, 0, set.output);
    await becomes(200, '/closed', 'a key of 20 letters!');
    const listed = await fetch(`${up.console}/v1/services/gateway/instances`, {
      headers: { authorization: `Bearer ${up.token}` },
    });
    const { instances } = (await listed.json()) as { instances: { metadata: { admin: string } }[] };
    const shown = await fetch(`http://${instances[0]?.metadata.admin}/settings`, {
      headers: { authorization: `Bearer ${up.adminToken}` },
    });
    const { source, settings } = (await shown.json()) as {
      source: string;
      settings: { key: string; from: object }[];
    };
    assert.equal(source, 'centre');
    assert.deepEqual(settings.find(({ key }) => key === 'apiKeys.ci.sha256')?.from, {
      layer: 'centre',
      where: 'default/heddle/gateway',
      version: 1,
    });
  });

  test('a quota counts over all routes, and only the key that has one', async () => {
    // One was used above.
    assert.equal((await ask('/other', 'a key of 20 letters!')).status, 200);
    assert.equal((await ask('/closed', 'a key of 20 letters!')).status, 200);
    const refused = await ask('/other', 'a key of 20 letters!');
    assert.equal(refused.status, 429);
    assert.match(refused.headers.get('ratelimit-policy') ?? '', /"quota";q=3/);
    assert.equal((await ask('/open', 'a key of 20 letters!')).status, 200);
  });

  test('what a schema refuses is not published, and the old one stays', async () => {
    const bad = await config('set', 'default/heddle/gateway', 'apiKeys.ci={"sha256":"short"}');
    assert.equal(bad.code, 1);
    assert.match(bad.output, /its schema refuses the change: apiKeys\.ci\.sha256: expected the SHA-256/);
    const plane = await config('set', 'default/heddle/control-plane', 'api.onBreaking=maybe');
    assert.match(plane.output, /api\.onBreaking: expected "quarantine" or "warn"/);
    assert.match((await config('show', 'default/heddle/gateway')).output, /default\/heddle\/gateway +1 /);
  });

  test('who may read may not change; a key that is taken back opens nothing more', async () => {
    const at = `${up.console}/v1/config/default/heddle/gateway`;
    const change = { action: 'publish', remove: ['apiKeys.ci'], author: 'x', comment: '' };
    const tried = await fetch(at, {
      method: 'POST',
      headers: { authorization: `Bearer ${up.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(change),
    });
    assert.equal(tried.status, 401);
    assert.equal((await fetch(at)).status, 401);
    assert.equal((await config('unset', 'default/heddle/gateway', 'apiKeys.ci')).code, 0);
    await becomes(401, '/closed', 'a key of 20 letters!');
  });
});
