import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumPath } from '../node/console-scene.ts';
import { StartedCli } from '../node/started-cli.ts';

const skip = chromiumPath === '' ? 'SKIPPED: there is no chromium on PATH' : false;
const limit = { timeout: 180_000 };
const program = path.resolve(import.meta.dirname, '../../../../scripts/contracts/gateway/oidc/provider.mjs');
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-oidc-'));

let provider: ChildProcess;
let lines: Interface;
let plane: StartedCli;
let browser: Browser;
let url = '';

function nextLine(): Promise<string> {
  return new Promise((resolve) => lines.once('line', resolve));
}

/** The provider must know where the console will be before it is there. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function signedInAs(name: string): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en-US' })).newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(url);
  await page.click('a[href="/oauth2/begin"]');
  await page.fill('input[name=login]', name);
  await page.fill('input[name=password]', 'any');
  await page.click('button[type=submit]');
  await page.waitForSelector('input[name=prompt][value=consent]', { state: 'attached' });
  await page.click('button[type=submit]');
  await page.waitForURL((at) => at.origin === url);
  return page;
}

describe('signing in at an OpenID provider', { skip, timeout: 300_000 }, () => {
  before(async () => {
    provider = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'ignore'] });
    assert.ok(provider.stdout);
    lines = createInterface({ input: provider.stdout });
    const [, port = ''] = (await nextLine()).split(' ');
    const own = await freePort();
    url = `http://127.0.0.1:${own}`;
    provider.stdin?.write(`client ${url}\n`);
    await nextLine();
    plane = new StartedCli(['control-plane', '--port', String(own), '--data', folder], {
      HEDDLE_REGISTRY_TOKEN: 'a-token-for-this-test-alone',
      HEDDLE_CONSOLE_OIDC_ISSUER: `http://127.0.0.1:${port}`,
      HEDDLE_CONSOLE_OIDC_CLIENT_ID: 'shop',
      HEDDLE_CONSOLE_OIDC_CLIENT_SECRET: 'a secret: with/odd+characters',
      HEDDLE_CONSOLE_URL: url,
    });
    await plane.printed(/"message":"ready"/);
    browser = await chromium.launch({
      executablePath: chromiumPath,
      args: ['--no-sandbox', '--disable-gpu'],
    });
  }, limit);
  after(async () => {
    await browser?.close();
    provider?.kill();
    plane?.child.kill('SIGTERM');
    await plane?.exited;
    rmSync(folder, { recursive: true, force: true });
  });

  test('somebody with a role there comes in with that role, and no other', limit, async () => {
    const page = await signedInAs('heddle-operator');
    await page.waitForSelector('nav.navigation', { state: 'attached' });
    const session = JSON.parse(
      (await (await page.request.get(`${url}/api/console/session`)).text()) ?? '{}',
    ) as {
      user: string;
      role: string;
    };
    assert.deepEqual([session.user, session.role], ['oidc:heddle-operator', 'operator']);
    assert.equal((await page.request.get(`${url}/api/console/users`)).status(), 403);
    await page.context().close();
  });

  test(
    'somebody without a role does not, and an answer that nobody asked for is refused',
    limit,
    async () => {
      const page = await signedInAs('ann');
      assert.match((await page.textContent('body')) ?? '', /NO_ROLE/);
      const stranger = await fetch(`${url}/oauth2/callback?code=stolen&state=guessed`, {
        redirect: 'manual',
      });
      assert.equal(((await stranger.json()) as { reason: string }).reason, 'UNKNOWN_LOGIN');
      assert.deepEqual(stranger.headers.getSetCookie(), []);
      await page.context().close();
    },
  );
});
