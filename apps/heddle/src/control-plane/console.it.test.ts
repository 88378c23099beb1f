import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { StartedCli } from '../node/started-cli.ts';

const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/bin'];
const executablePath = folders.map((folder) => path.join(folder, 'chromium')).find(existsSync) ?? '';
const skip = executablePath === '' ? 'SKIPPED: there is no chromium on PATH' : false;
const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
const axe = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const limit = { timeout: 90_000 };
const leaseMs = 10_000;

/** Waits by the debugger: the page's policy forbids the evaluation that `waitForFunction` would use. */
async function until(page: Page, expression: string): Promise<void> {
  while (!(await page.evaluate(expression))) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A control plane and two gateways as real processes, and a browser that looks at them. */
class Scene {
  readonly folder: string = mkdtempSync(path.join(tmpdir(), 'heddle-console-'));
  readonly complaints: string[] = [];
  readonly started: StartedCli[] = [];
  readonly gateways: { cli: StartedCli; url: string }[] = [];
  url = '';
  #browser: Browser | undefined;

  async open(): Promise<void> {
    const env = { HEDDLE_REGISTRY_TOKEN: 'a-token-for-this-test-alone' };
    const run = (...command: string[]): StartedCli => {
      const cli = new StartedCli(command, env);
      this.started.push(cli);
      return cli;
    };
    const plane = run('control-plane', '--port', '0', '--data', path.join(this.folder, 'data'));
    const [, address = ''] = await plane.printed(/"message":"ready","address":"([^"]+)"/);
    this.url = `http://${address}`;
    const config = path.join(this.folder, 'gateway.yaml');
    writeFileSync(config, 'routes: []\n');
    for (let count = 0; count < 2; count++) {
      const cli = run('gateway', '--config', config, '--port', '0', '--registry', address);
      const [, url = ''] = await cli.printed(/"message":"ready","url":"([^"]+)"/);
      this.gateways.push({ cli, url });
    }
    this.#browser = await chromium.launch({ executablePath, args });
  }

  async page(
    options: { width?: number; height?: number; colorScheme?: 'light' | 'dark' } = {},
  ): Promise<Page> {
    const { width = 1280, height = 800, colorScheme = 'light' } = options;
    assert.ok(this.#browser);
    const page = await this.#browser.newPage({ viewport: { width, height }, colorScheme });
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    await page.goto(this.url);
    await page.waitForSelector('[data-service=gateway]');
    return page;
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    for (const { child } of this.started) child.kill('SIGKILL');
    await Promise.all(this.started.map(({ exited }) => exited));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe('the console in a browser', { skip, ...limit }, () => {
  const scene = new Scene();
  before(() => scene.open(), limit);
  after(() => scene.close(), limit);

  test('shows each instance, and rates once there is traffic', limit, async () => {
    const page = await scene.page();
    await until(page, 'document.querySelectorAll("[data-instance]").length === 2');
    const stop = new AbortController();
    const customers = scene.gateways.map(async ({ url }) => {
      while (!stop.signal.aborted) await (await fetch(`${url}/nowhere`)).arrayBuffer();
    });
    await until(
      page,
      `[...document.querySelectorAll('[data-instance] td:nth-child(7)')]
      .every((cell) => Number.parseFloat(cell.textContent.replaceAll(',', '')) > 1)`,
    );
    stop.abort();
    await Promise.all(customers);
    assert.equal(await page.textContent('#connection-text'), 'Live');
    assert.match(
      (await page.getAttribute('svg.chart', 'aria-label')) ?? '',
      /gateway: requests per second, now [\d.,]+/,
    );
    await page.close();
  });

  test('has no accessibility fault, in either colour scheme, on a screen and on a phone', limit, async () => {
    for (const [width, height] of [
      [1280, 800],
      [390, 844],
    ] as const) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await scene.page({ width, height, colorScheme });
        // By the debugger, past the page's own policy, which forbids foreign scripts.
        await page.evaluate(axe);
        const found = await page.evaluate<string[]>(
          'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes[0].html))',
        );
        assert.deepEqual(found, [], `${width} ${colorScheme}`);
        const overflow = await page.evaluate(
          'document.documentElement.scrollWidth > document.documentElement.clientWidth',
        );
        assert.equal(overflow, false, `nothing hangs over the edge at ${width}`);
        await page.close();
      }
    }
  });

  test('can be reached by keyboard', limit, async () => {
    const page = await scene.page();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.className'), 'skip');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate('document.activeElement.matches("#services, #services *, body")'));
    await page.close();
  });

  test('shows a killed instance as not answering, and as lost when its lease is over', limit, async () => {
    const page = await scene.page();
    const [victim] = scene.gateways;
    assert.ok(victim);
    const id = `gateway@${new URL(victim.url).host}`;
    victim.cli.child.kill('SIGKILL');
    const killedMs = performance.now();
    const row = `[data-instance="${id}"]`;
    await page.waitForSelector(`${row} [data-state=unreachable]`, { state: 'attached' });
    await until(page, `!document.querySelector('${row}')`);
    const goneMs = performance.now() - killedMs;
    assert.ok(goneMs < leaseMs + 5000, `gone after ${goneMs} ms`);
    const alert = await page.textContent('#attention li');
    assert.ok(alert?.includes(`lost ${id}`), alert ?? '');
    await page.close();
  });

  test('keeps strangers out: another host name, writing, foreign scripts', limit, async () => {
    const { hostname, port } = new URL(scene.url);
    const status = (options: object): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const asked = request({ hostname, port, path: '/api/overview', ...options }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        asked.on('error', reject).end();
      });
    assert.equal(await status({ headers: { host: 'evil.example' } }), 421);
    assert.equal(await status({ method: 'POST' }), 405);
    assert.equal(await status({ path: '/../package.json' }), 404);
    assert.equal(await status({ path: '/v1/services' }), 401);
    const page = await scene.page();
    const before = scene.complaints.length;
    const ran = await page.evaluate(`new Promise((resolve) => {
      const script = document.createElement('script');
      script.textContent = 'window.injected = true';
      document.head.append(script);
      setTimeout(() => resolve(window.injected === true), 10);
    })`);
    assert.equal(ran, false);
    // The refusal is the one complaint that is wanted.
    scene.complaints.splice(before);
    await page.close();
  });

  test('nothing was complained about in the browser console', limit, () => {
    assert.deepEqual(scene.complaints, []);
  });
});
