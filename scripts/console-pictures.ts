// `npm run pictures -- [DIR] [VIEW …]`: a screenshot of every page of the console, light and dark, English and Chinese, on a screen
// and on a phone, against the running shop with payments that fail.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import type { Page } from 'playwright-core';
import { ConsoleScene } from '../apps/heddle/src/node/console-scene.ts';
import { openBrokerAt } from '../apps/heddle/src/node/open-broker.ts';
import { chineseFont } from './engines/chinese-font.ts';

const [, , folder = 'pictures', ...asked] = process.argv;
const into = path.resolve(folder);
type Act = (page: Page) => Promise<void>;

/** Presses what is there; nothing where it is not. */
function press(selector: string): Act {
  return async (page) => {
    const there = page.locator(selector).first();
    if (await there.isVisible()) await there.click();
  };
}

/** One after another, each on what the one before has led to. */
function pressAll(...selectors: readonly string[]): Act {
  return async (page) => {
    for (const selector of selectors) {
      await page.locator(selector).first().click();
      await settled(page);
    }
  };
}

const failedOrder = 'tr[data-row]:has-text("POST /orders"):has(.bad)';

/** Writes a key wrongly, and waits for what is said about it. */
async function mistake(page: Page): Promise<void> {
  const editor = page.locator('[data-editor]');
  const text = (await editor.locator('.cm-line').allTextContents()).join('\n');
  await editor.fill(text.slice(0, text.indexOf('weight: 100')).replace('subsets:', 'subset:'));
  await page.waitForSelector('.findings [data-severity=error]');
}

const pages: readonly (readonly [name: string, place: string, act?: Act])[] = [
  ['overview', '/'],
  ['services', '/services'],
  ['topology', '/topology'],
  ['traces', '/traces'],
  ['trace', '/traces', press(failedOrder)],
  ['compare', '/traces', pressAll(failedOrder, 'a[href*="/compare"]', '[data-others] a')],
  ['decisions', '/decisions?service=payment'],
  ['logs', '/logs'],
  ['metrics', '/metrics-explorer'],
  ['alerts', '/alerts'],
  ['gateway', '/gateway'],
  ['mesh', '/mesh'],
  ['mesh-change', '/mesh?tab=change', mistake],
  ['rollouts', '/rollouts'],
  ['apis', '/apis'],
  ['api', '/apis?service=user'],
  ['config', '/config?place=default/shop/order'],
  ['messages', '/messages'],
  ['transactions', '/transactions'],
  ['boundaries', '/boundaries', press('#main form button, #main .mantine-Button-root')],
  ['certificates', '/certificates'],
  ['users', '/users'],
  ['audit', '/audit'],
  ['tool', '/pages/tool'],
];
const views = [
  ['light-en', { viewport: { width: 1280, height: 800 }, colorScheme: 'light', locale: 'en-US' }],
  ['dark-zh', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark', locale: 'zh-CN' }],
  ['phone-light-zh', { viewport: { width: 390, height: 844 }, colorScheme: 'light', locale: 'zh-CN' }],
  ['phone-dark-en', { viewport: { width: 390, height: 844 }, colorScheme: 'dark', locale: 'en-US' }],
] as const;

const wanted = views.filter(([name]) => asked.length === 0 || asked.includes(name));

async function settled(page: Page): Promise<void> {
  await page.waitForSelector('h1');
  await page.waitForSelector('[role=progressbar], #main [data-loading]', { state: 'detached' });
  await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => undefined);
}

async function take(scene: ConsoleScene, view: (typeof views)[number]): Promise<void> {
  const [viewName, options] = view;
  const page = await scene.page('/', options);
  for (const [name, place, act] of pages) {
    await page.goto(`${scene.state.console}${place}`);
    await settled(page);
    await act?.(page);
    await settled(page);
    await page.screenshot({ path: path.join(into, `${name}-${viewName}.png`) });
  }
  await page.context().close();
}

/** A letter that its reader cannot read, and values that somebody has set. */
async function furnished(scene: ConsoleScene): Promise<void> {
  const runtime = nodeRuntime({ name: 'pictures', logLevel: 'error' });
  const broker = await openBrokerAt(scene.variable('HEDDLE_BROKER_URL'), runtime);
  const { bus } = broker;
  await bus.createTopic('orders', { partitions: 4 });
  await bus.subscribe('orders', { group: 'billing', attempts: 1 }, async () => {
    throw new HeddleError({
      code: 'internal',
      reason: 'NO_TAX_RATE',
      message: 'there is no tax rate for XK',
    });
  });
  const payload = new TextEncoder().encode('{"orderId":"o-7","country":"XK"}');
  await bus.publish({ topic: 'orders', key: 'o-7', type: 'order.placed', payload });
  const page = await scene.page('/messages');
  await page.waitForSelector('tr[data-row="orders billing"]');
  await page.context().close();
  await broker.close();
  const place = 'default/shop/order';
  await scene.heddle('config', 'set', place, 'timeoutMs=2500', '--why', 'the parcel service is slow');
  await scene.heddle('config', 'set', place, 'timeoutMs=4000', '--why', 'still slow');
}

const known = await chineseFont.find();
const font = 'missing' in known ? await chineseFont.install() : known;
if ('missing' in font) process.stderr.write(`${font.missing}\n`);
mkdirSync(into, { recursive: true });
const scene = new ConsoleScene();
try {
  await scene.open();
  await scene.heddle('shop', 'fault', 'payment', 'fail');
  await furnished(scene);
  scene.work();
  for (let order = 0; order < 10; order++) await scene.order();
  // The overview tells a failure once it has measured it twice.
  const page = await scene.page('/');
  await page.waitForSelector('[data-attention=payment]');
  await page.context().close();
  for (const view of wanted) await take(scene, view);
  process.stdout.write(`${wanted.length * pages.length} pictures in ${into}\n`);
} finally {
  await scene.close();
}
