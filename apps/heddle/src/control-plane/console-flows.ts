// What the flows of the browser's tests have in common.
import { sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import type { Page } from 'playwright-core';

/** Of each test. */
export const limit = { timeout: 240_000 };

const runtime = nodeRuntime({ name: 'console-test', logLevel: 'error' });

/** By the debugger: the page's policy forbids the evaluation that `waitForFunction` would use. */
export async function until(page: Page, expression: string): Promise<void> {
  while (!(await page.evaluate(expression))) await sleep(runtime.timers, 50);
}

/** Presses the button of a `Confirm`, gives a reason if one is asked for, and says yes. */
export async function confirmed(page: Page, label: string, why = 'because the test says so'): Promise<void> {
  await page.locator(`button:has-text("${label}")`).first().click();
  await page.waitForSelector('[data-confirm]');
  const reason = page.locator('[role=dialog] input');
  if ((await reason.count()) > 0) await reason.first().fill(why);
  await page.click('[data-confirm]');
  await page.waitForSelector('[data-confirm]', { state: 'detached' });
}
