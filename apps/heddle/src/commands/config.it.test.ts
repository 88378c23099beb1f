import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

const program = path.join(import.meta.dirname, '..', 'main.ts');
let folder = '';
let store = '';

before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'heddle-config-cli-'));
  execFileSync('git', ['init', '--quiet', '--bare', 'config.git'], { cwd: folder });
  store = `git:${path.join(folder, 'config.git')}`;
});

after(() => rmSync(folder, { recursive: true }));

interface Ran {
  readonly code: number;
  readonly out: string;
}

function heddle(args: readonly string[], input = ''): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...process.env, HEDDLE_CONFIG: store, USER: 'ada' };
    const all = ['--conditions=@heddle/source', program, 'config', ...args];
    const child = execFile(process.execPath, all, { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), out: stdout + stderr });
    });
    child.stdin?.end(input);
  });
}

test('heddle config sets, shows, compares, releases to some and rolls back, with a history', async () => {
  const set = await heddle(['set', 'prod/shop/order', 'pool.max=20', 'banner=Sale', '--why', 'more load']);
  assert.deepEqual(set, {
    code: 0,
    out: '+ banner = "Sale"\n+ pool.max = 20\nprod/shop/order is at version 1\n',
  });
  const dry = await heddle(['set', 'prod/shop/order', 'pool.max=30', '--dry-run']);
  assert.match(dry.out, /^~ pool\.max = 20 -> 30\nnothing was done/);
  assert.match(
    (await heddle(['gray', 'prod/shop/order', 'pool.max=40', '--percent', '10'])).out,
    /~ pool\.max = 20 -> 40[\s\S]*version 2/,
  );
  const shown = await heddle(['show', 'prod/shop/order']);
  assert.match(shown.out, /pool\.max = 20\nbanner = "Sale"\n\ngray for 10 %:\n~ pool\.max = 20 -> 40/);
  assert.match((await heddle(['promote', 'prod/shop/order'])).out, /version 3/);
  assert.equal((await heddle(['diff', 'prod/shop/order', '1', '3'])).out, '~ pool.max = 20 -> 40\n');
  assert.match(
    (await heddle(['rollback', 'prod/shop/order', '1'])).out,
    /~ pool\.max = 40 -> 20\n.*version 4/,
  );
  const history = await heddle(['history', 'prod/shop/order', '--json']);
  const rows = JSON.parse(history.out) as { action: string; by: string; comment: string }[];
  assert.deepEqual(
    rows.map(({ action }) => action),
    ['rollback', 'promote', 'gray', 'publish'],
  );
  assert.deepEqual([rows[3]?.by, rows[3]?.comment], ['ada', 'more load']);
});

test('heddle config seals secrets, takes files, and refuses what does not fit', async () => {
  const keys = path.join(folder, 'keys');
  writeFileSync(keys, `one:${'ab'.repeat(32)}\n`);
  const secret = await heddle(
    ['set', 'prod/shop/user', 'password=-', '--secret', '--keys', keys],
    'very secret\n',
  );
  assert.match(secret.out, /^\+ password = "\[secret\]"\n/);
  const raw = await heddle(['show', 'prod/shop/user', '--json']);
  assert.ok(raw.out.includes('dataKey') && !raw.out.includes('very secret'));
  const file = path.join(folder, 'user.yaml');
  writeFileSync(file, 'page: 5\nname: users\n');
  assert.match(
    (await heddle(['apply', 'prod/shop/user', file])).out,
    /\+ name = "users"\n\+ page = 5\n- password/,
  );
  const stale = await heddle(['set', 'prod/shop/user', 'page=6', '--expect', '1']);
  assert.deepEqual([stale.code, /made for version 1, and it is at 2/.test(stale.out)], [1, true]);
  const bad = await heddle(['set', 'Prod/shop', 'page=6']);
  assert.deepEqual([bad.code, /expected environment\/namespace\/group/.test(bad.out)], [1, true]);
  assert.equal((await heddle(['show', 'prod/shop/nobody'])).code, 1);
  assert.equal((await heddle(['frobnicate'])).code, 2);
  assert.match((await heddle(['list'])).out, /prod\/shop\/user +2 +publish +2/);
});
