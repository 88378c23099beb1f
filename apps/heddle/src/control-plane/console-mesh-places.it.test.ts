import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { StartedCli } from '../node/started-cli.ts';

// Rules that are no files of the control plane's machine, as the console shows and changes them.
const token = 'a-token-for-this-test-alone';
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-mesh-places-'));
const limit = { timeout: 240_000 };
const started: StartedCli[] = [];

after(async () => {
  for (const { child, exited } of started) {
    child.kill('SIGTERM');
    await exited;
  }
  rmSync(folder, { recursive: true, force: true });
});

const rules = (weight: number): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: order, namespace: shop }
spec:
  hosts: [order.shop.example]
  http:
    - timeout: ${weight}s
      route: [{ destination: { host: order.shop.example } }]
`;

/** A control plane, asked as the platform's own programs ask it. Gives its URL, and its console's answers. */
async function plane(
  name: string,
  ...more: readonly string[]
): Promise<{ url: string; ask: (method: string, place: string, body?: object) => Promise<Answer> }> {
  const words = ['control-plane', '--port', '0', '--data', path.join(folder, name), ...more];
  const cli = new StartedCli(words, {
    HEDDLE_REGISTRY_TOKEN: token,
    HEDDLE_MESH_TOKEN: token,
  });
  started.push(cli);
  const [, url = ''] = await cli.printed(/"message":"ready"[^}]*"url":"([^"]+)"/);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const ask = async (method: string, place: string, body?: object): Promise<Answer> => {
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    return (await (await fetch(`${url}/api/console/${place}`, init)).json()) as Answer;
  };
  return { url, ask };
}

interface Answer {
  readonly [key: string]: unknown;
  readonly files?: readonly { readonly file: string; readonly text: string }[];
}

test(
  'rules in a repository are shown with where they come from and can be tried, and not published',
  limit,
  async () => {
    const repository = path.join(folder, 'repository');
    mkdirSync(repository);
    const git = (...args: readonly string[]): string =>
      execFileSync(
        'git',
        ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args],
        {
          encoding: 'utf8',
        },
      );
    git('init', '--quiet', '--initial-branch=main');
    writeFileSync(path.join(repository, 'order.yaml'), rules(1));
    git('add', '.');
    git('commit', '--quiet', '--message=rules');
    const { ask } = await plane('git', '--mesh', `git:${repository}`);
    const shown = await ask('GET', 'mesh');
    assert.equal(shown['kind'], 'git');
    assert.equal(shown['writable'], false);
    assert.equal((shown['source'] as { inForce: string }).inForce, git('rev-parse', 'HEAD').trim());
    assert.deepEqual(shown.files, [{ file: 'order.yaml', text: rules(1) }]);
    const change = { file: 'order.yaml', content: rules(2) };
    const plan = await ask('POST', 'mesh/plan', change);
    assert.equal(plan['ok'], true);
    assert.equal(plan['before'], rules(1));
    const { reason, message } = await ask('POST', 'mesh/publish', { ...change, expected: shown['digest'] });
    assert.equal(reason, 'RULES_ELSEWHERE');
    assert.match(String(message), /come from git:.*repository: change them there/);
    assert.equal((await ask('GET', 'rollouts'))['writable'], false);
  },
);
