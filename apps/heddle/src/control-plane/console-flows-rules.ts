import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConsoleScene } from '../node/console-scene.ts';
import { confirmed, limit, until } from './console-flows.ts';

/** Rules of the mesh, rollouts, certificates, alerts, pages of other tools: as people use them in a browser. */
export function ruleFlows(scene: ConsoleScene): void {
  // One after another: each of them makes versions of the same rules.
  describe('rules of the mesh', { concurrency: 1 }, () => {
    meshFlows(scene);
    rolloutFlows(scene);
  });
  originFlows(scene);
  otherFlows(scene);
}

function meshFlows(scene: ConsoleScene): void {
  test(
    'rules: a mistake is told on unsaved text; a canary is diffed, dry-run, published, and rolled back',
    limit,
    async () => {
      await scene.order();
      const page = await scene.page('/mesh?tab=change');
      const editor = page.locator('[data-editor]');
      await editor.waitFor();
      const before = scene.rules();
      await editor.fill(before.replace('subset: v2', 'subset: v3'));
      await page.waitForSelector('.findings [data-code=SUBSET_NOT_FOUND]');
      await editor.fill(before.replace('weight: 100', 'wieght: 100'));
      await page.waitForSelector('.findings [data-code=UNKNOWN_FIELD]:has-text("wieght")');
      await page.waitForSelector('.cm-lintRange-error');
      assert.equal(scene.rules(), before, 'nothing was saved');
      await page.click('text=Check and dry-run');
      await page.waitForSelector('[data-plan=refused] [data-code=UNKNOWN_FIELD]');
      assert.ok(await page.isDisabled('button:has-text("Publish")'));
      await editor.fill(before.replace('weight: 100', 'weight: 90').replace('weight: 0', 'weight: 10'));
      await page.waitForSelector('.findings [data-code=UNKNOWN_FIELD]', { state: 'detached' });
      // The calls of the order just placed are kept a moment later.
      do {
        await page.click('text=Check and dry-run');
        await page.waitForSelector('[data-plan=ok] table.line-diff');
      } while (!(await page.isVisible('[data-moved]')));
      assert.equal(await page.getAttribute('table.line-diff', 'data-lines'), '4');
      assert.match((await page.textContent('[data-moved]')) ?? '', /\(v1\) 90 %.*\(v2\) 10 %/);
      await confirmed(page, 'Publish');
      await page.waitForSelector('text=Version 2 is served.');
      assert.match(scene.rules(), /weight: 10\n/);
      await page.waitForSelector('text=Set 2 with 3 objects is in force');
      await page.click('[role=tab]:has-text("Versions")');
      await page.click('tr[data-row="1"] >> text=Compare with served');
      await page.waitForSelector('[data-version-diff="1"] tr[data-is=added]');
      await confirmed(page, 'Roll back');
      await page.waitForSelector('tr[data-row="3"]:has-text("rollback to 1")');
      assert.equal(scene.rules(), before);
      await page.context().close();
    },
  );

  test('rules: keys are completed by the schema, and Escape then Tab leaves the editor', limit, async () => {
    const page = await scene.page('/mesh?tab=change');
    await page.locator('[data-editor]').fill('kind: VirtualService\nspec:\n  ');
    await page.keyboard.press('Control+End');
    await page.keyboard.type('ht');
    await page.waitForSelector('.cm-tooltip-autocomplete >> text=http');
    await page.keyboard.press('Escape');
    await page.context().close();
  });
}

function rolloutFlows(scene: ConsoleScene): void {
  test('a rollout moves the weights by steps, and is taken back by hand', limit, async () => {
    const page = await scene.page('/rollouts');
    await page.click('[data-split=payment] >> text=Begin a rollout');
    const dialog = page.locator('[role=dialog]');
    await dialog.getByLabel('Steps in percent').fill('20, 60');
    await dialog.getByLabel('How long a step must hold').fill('600');
    await page.click('[data-begin]');
    await page.waitForSelector('[data-rollout=running]');
    await page.waitForSelector('[data-subset=v2] >> text=20 %');
    await confirmed(page, 'Take back');
    await page.waitForSelector('[data-rollout=taken-back] >> text=because the test says so');
    await page.waitForSelector('[data-subset=v2] >> text=0 %');
    await page.context().close();
  });

  test('a rollout that nobody can judge is taken back by itself', limit, async () => {
    const page = await scene.page('/rollouts');
    await page.click('[data-split=payment] >> text=Begin a rollout');
    const dialog = page.locator('[role=dialog]');
    await dialog.getByLabel('How long a step must hold').fill('1');
    await dialog.getByLabel('Seconds between two looks').fill('1');
    await page.click('[data-begin]');
    // No proxy of the mesh runs here, so there are no calls to judge by: what nobody can see does not go further.
    await page.waitForSelector(
      '[data-rollout=taken-back] >> text=only 0 calls in a look, 20 are needed to judge',
    );
    await page.context().close();
  });
}

const origins = {
  git: {
    place: 'git:https://git.example/rules',
    writable: false,
    says: /by a commit .* Revision 0123456789ab is in force/,
  },
  kubernetes: {
    place: 'k8s+tls://10.0.0.1:6443',
    writable: false,
    says: /objects of the cluster .*kubectl apply/,
  },
  store: {
    place: 'etcd://10.0.0.2:2379/mesh',
    writable: true,
    says: /for all its control planes: change them here/,
  },
} as const;

/** What the page makes of rules that are no files: the answers are those of such control planes, see their own tests. */
function originFlows(scene: ConsoleScene): void {
  for (const [kind, { place, writable, says }] of Object.entries(origins))
    test(`rules of a ${kind} place say so, and how they are changed`, limit, async () => {
      const page = await scene.page('/');
      const source = {
        drift: kind === 'git' ? ['draft.yaml'] : [],
        ...(kind === 'git' && { inForce: '0123456789abcdef' }),
        ...(kind === 'kubernetes' && { problem: 'the watch has ended: connection refused' }),
      };
      await page.route('**/api/console/mesh', async (route) => {
        const json = (await (await route.fetch()).json()) as object;
        await route.fulfill({ json: { ...json, kind, place, writable, source } });
      });
      await page.goto(`${scene.state.console}/mesh`);
      const origin = page.locator(`[data-origin=${kind}][data-writable=${String(writable)}]`);
      const said = (await origin.textContent()) ?? '';
      assert.ok(said.includes(place), said);
      assert.match(said, says);
      assert.equal(/draft\.yaml/.test(said), kind === 'git', 'what is not committed is named');
      assert.equal(/connection refused/.test(said), kind === 'kubernetes', 'why they cannot be read');
      await page.waitForSelector('pre.source >> text=DestinationRule');
      await page.click(`[role=tab]:has-text("${writable ? 'Change' : 'Try a change'}")`);
      await page.locator('[data-editor]').waitFor();
      assert.equal(await page.locator('button:has-text("Publish")').count(), writable ? 1 : 0);
      await page.context().close();
    });
}

function otherFlows(scene: ConsoleScene): void {
  test('certificates: the root of the mesh, and a token for a workload', limit, async () => {
    const page = await scene.page('/certificates');
    await page.waitForSelector('[data-root] >> text=days left');
    await page.getByLabel('Identity').fill('spiffe://cluster.local/ns/shop/sa/order');
    await page.click('text=Make a token');
    assert.match((await page.textContent('[data-token]')) ?? '', /^[\w.-]{20,}$/);
    await page.context().close();
  });

  test('an alert is silenced, and told of again', limit, async () => {
    const page = await scene.page('/alerts');
    await page.waitForSelector('[data-alert=FireDrill] [data-state=firing]');
    await confirmed(page, 'Silence for an hour');
    await page.waitForSelector('[data-alert=FireDrill] [data-state=silenced]');
    await confirmed(page, 'End');
    await page.waitForSelector('[data-alert=FireDrill] [data-state=firing]');
    await page.context().close();
  });

  test(
    'a page of another tool stands in a frame, with how it is, and cannot reach the console',
    limit,
    async () => {
      const page = await scene.page('/');
      await page.click('[data-tool=tool]');
      const frame = page.frameLocator('[data-foreign=tool]');
      await frame.locator('#tool').waitFor();
      assert.equal(await frame.locator('#tool').getAttribute('data-reached'), 'refused');
      await page.waitForSelector('[data-tool=broken] .dot[data-health=down]', { state: 'attached' });
      const answer = await page.request.get(scene.state.console);
      const policy = answer.headers()['content-security-policy'] ?? '';
      assert.match(policy, /; frame-src http:\/\/127\.0\.0\.1:\d+$/);
      await until(page, 'document.querySelectorAll("iframe").length === 1');
      await page.context().close();
    },
  );
}
