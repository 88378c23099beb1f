import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { saga, SagaEngine } from '@heddle/data/saga';
import { HeddleError, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { sqlPool } from '@heddle/sql';
import { chromiumPath, ConsoleScene } from '../node/console-scene.ts';
import { openBrokerAt } from '../node/open-broker.ts';
import { confirmed, limit, until } from './console-flows.ts';
import { apiFlows } from './console-flows-apis.ts';
import { ruleFlows } from './console-flows-rules.ts';

const skip = chromiumPath === '' ? 'SKIPPED: there is no chromium on PATH' : false;
const axe = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const runtime = nodeRuntime({ name: 'console-test', logLevel: 'error' });
const scene = new ConsoleScene();

const pages = [
  '/',
  '/services',
  '/topology',
  '/traces',
  '/compare',
  '/decisions',
  '/logs',
  '/metrics-explorer',
  '/alerts',
  '/gateway',
  '/mesh',
  '/mesh?tab=change',
  '/rollouts',
  '/apis',
  '/apis?service=user',
  '/apis?tab=keys',
  '/config',
  '/messages',
  '/transactions',
  '/boundaries',
  '/certificates',
  '/users',
  '/audit',
  '/pages/tool',
];

describe('the console and the running shop', { skip, timeout: 600_000 }, () => {
  before(() => scene.open(), limit);
  after(() => scene.close(), limit);

  test(
    'the failing service is two clicks from the overview, with the reason, and its trace one more',
    limit,
    async () => {
      await scene.heddle('shop', 'fault', 'payment', 'fail');
      scene.work();
      const page = await scene.page('/');
      await page.waitForSelector('[data-attention=payment]');
      await page.click('[data-attention=payment] >> text=see why');
      await page.waitForSelector('[data-decision=INJECTED_FAULT]');
      assert.match((await page.textContent('[data-cause]')) ?? '', /injected fault/);
      await page.click('[data-decision=INJECTED_FAULT] a[href^="/traces/"]');
      await page.waitForSelector('.span[data-failed=true]');
      const lines = Number(await page.getAttribute('.waterfall', 'data-spans'));
      assert.ok(lines > 5, `${lines} spans`);
      await page.click('.span[data-failed=true] .open');
      await page.waitForSelector('[role=dialog] >> text=heddle.code');
      await page.context().close();
    },
  );

  test('the topology shows who calls whom, and says why a picture is empty', limit, async () => {
    const page = await scene.page('/topology');
    await page.waitForSelector('[data-node=payment][data-level=bad]');
    await page.waitForSelector('[data-edge="order payment"][data-level=bad]', { state: 'attached' });
    const place = await page.getAttribute('[data-node=payment]', 'transform');
    await page.click('[data-node=shipping]');
    await until(page, 'document.querySelectorAll("[data-node]").length < 5');
    await page.click('text=Show everything');
    await page.waitForSelector('[data-node=payment]');
    assert.equal(await page.getAttribute('[data-node=payment]', 'transform'), place, 'nothing has moved');
    await page.fill('[data-filter]', 'no-such-service');
    await page.waitForSelector('[data-broken="6"]');
    await page.context().close();
    await scene.rest();
    await scene.heddle('shop', 'fault', 'payment', 'off');
  });

  describe('side by side', { concurrency: 3 }, () => {
    ruleFlows(scene);
    apiFlows(scene);

    test('an instance is drained and let go, and both are in the audit log', limit, async () => {
      const page = await scene.page('/services?name=user');
      await page.click('tr[data-row] >> nth=0');
      const id = (await page.textContent('[role=dialog] h2, [role=dialog] header')) ?? '';
      await confirmed(page, 'Drain');
      await page.waitForSelector('[data-hold=draining]');
      await page.waitForSelector(`tr[data-row="${id.trim()}"] [data-state=draining]`, { state: 'attached' });
      await confirmed(page, 'Let go');
      await page.waitForSelector(`tr[data-row="${id.trim()}"] [data-state=running]`, { state: 'attached' });
      await page.goto(`${scene.state.console}/audit`);
      await page.click('tr[data-row]:has-text("PUT /instances/user/")');
      const entry = (await page.textContent('[role=dialog]')) ?? '';
      assert.match(entry, /admin/);
      assert.match(entry, /"draining"/);
      assert.match(entry, /because the test says so/);
      await page.context().close();
    });

    test(
      'routes: a mistake is refused before it is published, a canary is tried on recorded requests, and rolled back',
      limit,
      async () => {
        const page = await scene.page('/gateway');
        await page.click('[role=tab]:has-text("Change")');
        const editor = page.locator('[data-editor]');
        await editor.waitFor();
        const first = (await editor.locator('.cm-line').allTextContents()).join('\n');
        await editor.fill(first.replace('discovery:///order', 'discovry:///order'));
        await page.click('text=Check and dry-run');
        await page.waitForSelector('[data-plan=refused]');
        assert.match((await page.textContent('[data-plan=refused]')) ?? '', /\d+:\d+ .*upstream/);
        await page.waitForSelector('.cm-lintRange-error');
        assert.ok(await page.isDisabled('button:has-text("Publish")'));
        const canary = '  - { path: /products/p00001, upstream: "discovery:///product", timeoutMs: 900 }\n';
        await editor.fill(
          `${first.trimEnd()}\n${canary}  - { path: { exact: /products }, upstream: "discovery:///product" }\n`,
        );
        await page.click('text=Check and dry-run');
        await page.waitForSelector('[data-plan=ok] table.diff');
        // What has just come through is kept a moment later.
        for (; !(await page.isVisible('[data-moved]')); await sleep(runtime.timers, 500)) {
          await (await fetch(`${scene.state.gateway}/products?query=kettle`)).arrayBuffer();
          await page.click('text=Check and dry-run');
          await page.waitForSelector('[data-plan=ok] table.diff');
        }
        await confirmed(page, 'Publish');
        await page.waitForSelector('text=Version 2 is served.');
        assert.equal((await fetch(`${scene.state.gateway}/products/p00001`)).status, 200);
        await page.click('[role=tab]:has-text("Versions")');
        await page.click('tr[data-row="1"] >> text=Compare with served');
        await page.waitForSelector('table.diff [data-key*="p00001"]');
        await confirmed(page, 'Roll back');
        await page.waitForSelector('tr[data-row="3"]:has-text("rollback to 1")');
        await page.context().close();
      },
    );

    test(
      'a value is published, released to some, and rolled back; the history shows before and after',
      limit,
      async () => {
        const page = await scene.page('/config?place=test/shop/order');
        await page.fill('[data-editor]', '{ "pool": 5 }');
        await page.click('text=Check and compare');
        await page.waitForSelector('[data-plan=ok] [data-key=pool]');
        await confirmed(page, 'Publish');
        await page.click('[role=tab]:has-text("Values")');
        await page.waitForSelector('tr[data-row=pool]');
        await page.reload();
        await page.click('[role=tab]:has-text("Change")');
        await page.click('label:has-text("For some first")');
        await page.fill('input[placeholder="order-1b2a77f0, order-2"]', 'order-1');
        await page.fill('[data-editor]', '{ "pool": 9 }');
        await page.click('text=Check and compare');
        await page.waitForSelector('[data-plan=ok] [data-key=pool]');
        await confirmed(page, 'Publish');
        await page.click('[role=tab]:has-text("Values")');
        await page.waitForSelector('[data-gray]');
        await page.fill('input[placeholder="order-1b2a77f0"]', 'order-1');
        await page.waitForSelector('text=order-1 gets the gray values.');
        await confirmed(page, 'Promote');
        await page.click('[role=tab]:has-text("History")');
        const version = page.locator('[data-version="3"] [data-key=pool]');
        await version.waitFor();
        assert.match((await version.textContent()) ?? '', /pool59/);
        await page.locator('[data-version="1"]').getByText('Roll back').click();
        await page.click('[data-confirm]');
        await page.waitForSelector('[data-version="4"] >> text=95');
        await page.context().close();
      },
    );

    test('a dead letter is replayed and is handled then', limit, async () => {
      const broker = await openBrokerAt(scene.variable('HEDDLE_BROKER_URL'), runtime);
      await broker.bus.createTopic('letters', { partitions: 1 });
      let broken = true;
      let handled = 0;
      await broker.bus.subscribe('letters', { group: 'readers', attempts: 1 }, async () => {
        if (broken) throw new HeddleError({ code: 'internal', reason: 'CANNOT_READ', message: 'no glasses' });
        handled++;
      });
      await broker.bus.publish({
        topic: 'letters',
        key: 'k',
        type: 'letter',
        payload: new TextEncoder().encode('{"dear":"reader"}'),
      });
      const page = await scene.page('/messages');
      await page.click('tr[data-row="letters readers"]');
      await page.waitForSelector('tr:has-text("CANNOT_READ")');
      broken = false;
      await page.click('text=Choose all');
      await confirmed(page, 'Replay');
      await page.waitForSelector('text=There are none: every group has handled what it got.');
      while (handled === 0) await sleep(runtime.timers, 20);
      await page.context().close();
      await broker.bus.close();
      await broker.close();
    });

    test('a parked saga is retried to its end, and a running one compensated', limit, async () => {
      const url =
        (JSON.parse(scene.variable('HEDDLE_SERVICE_DATABASES')) as Record<string, string>)['user'] ?? '';
      const pool = sqlPool(url, { runtime });
      let stuck = true;
      const trip = saga('trip')
        .step('book', {
          run: async () => 'booked',
          undo: async () => {
            if (stuck) throw new Error('the hotel does not answer');
          },
          undoAttempts: 1,
        })
        .step('pay', {
          run: async () => {
            throw new Error('card refused');
          },
          attempts: 1,
        })
        .build();
      let released = 0;
      const wait = saga('wait')
        .step('reserve', { run: async () => 'reserved', undo: async () => void released++ })
        .step('hear', {
          run: async () => {
            throw new Error('nobody answers');
          },
          attempts: 100,
        })
        .build();
      const engine = new SagaEngine({ runtime, pool, url, definitions: [trip, wait] });
      await engine.start();
      const id = await engine.begin(trip, {});
      const page = await scene.page('/transactions?status=parked');
      await page.click(`tr[data-row="${id}"]`);
      await page.waitForSelector('[role=dialog] >> text=the hotel does not answer');
      stuck = false;
      await confirmed(page, 'Retry');
      await page.waitForSelector('[role=dialog] [data-state=compensated]');
      await page.waitForSelector('[role=dialog] >> text=admin: retry');
      // One that hangs in a step that never succeeds is told to go back.
      const hanging = await engine.begin(wait, {});
      await page.goto(`${scene.state.console}/transactions`);
      await page.click(`tr[data-row="${hanging}"]`);
      await confirmed(page, 'Compensate');
      await page.waitForSelector('[role=dialog] [data-state=compensated]');
      assert.equal(released, 1);
      await page.context().close();
      await engine.stop();
      await pool.stop?.();
    });

    test('boundaries are found in the traces of the shop, and in a document', limit, async () => {
      const page = await scene.page('/boundaries');
      await page.click('button:has-text("Analyse")');
      await page.waitForSelector('[data-report] tr[data-row]');
      await page.click('label:has-text("From a document")');
      await page.click('button:has-text("Analyse")');
      await page.waitForSelector('[data-report] >> text=ordering');
      await page.context().close();
    });

    for (const [width, height, colorScheme, locale] of [
      [1280, 800, 'light', 'en-US'],
      [390, 844, 'dark', 'zh-CN'],
    ] as const)
      test(
        `every page has no accessibility fault and hangs over no edge: ${width} ${colorScheme} ${locale}`,
        limit,
        async () => {
          const page = await scene.page('/', { viewport: { width, height }, colorScheme, locale });
          for (const place of pages) {
            await page.goto(`${scene.state.console}${place}`);
            await page.waitForSelector('h1');
            await page.waitForSelector('[role=progressbar]', { state: 'detached' });
            // By the debugger, past the page's own policy, which forbids foreign scripts.
            await page.evaluate(axe);
            const found = await page.evaluate<string[]>(
              'axe.run({ iframes: false }).then(({ violations }) => violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => id + " " + nodes[0].html))',
            );
            assert.deepEqual(found, [], `${place} ${width} ${colorScheme}`);
            const over = await page.evaluate(
              'document.documentElement.scrollWidth - document.documentElement.clientWidth',
            );
            assert.equal(over, 0, `nothing hangs over the edge: ${place} at ${width}`);
            const spoken = locale === 'zh-CN' ? 'zh-CN' : 'en';
            assert.equal(await page.evaluate('document.documentElement.lang'), spoken);
          }
          await page.context().close();
        },
      );

    test('pages are reached by keyboard', limit, async () => {
      const page = await scene.page('/');
      await page.waitForSelector('h1');
      await page.keyboard.press('g');
      await page.keyboard.press('t');
      await page.waitForURL('**/topology');
      await page.waitForSelector('[data-filter]');
      await page.keyboard.press('/');
      assert.ok(await page.evaluate('document.activeElement.hasAttribute("data-filter")'));
      await page.context().close();
    });
  });

  test('nothing was complained about in the browser console', limit, () => {
    // Alerts may not be evaluated here, which the page says; the browser says it too.
    const others = scene.complaints.filter((text) => !/status of 4(00|01|04)/.test(text));
    assert.deepEqual(others, []);
  });
});
