// The same by a real browser, with the provider's own pages.
import assert from 'node:assert/strict';
import { type Browser, chromium as playwright, type Page } from 'playwright-core';
import type { Found } from '../../../engines/engine.ts';
import type { Asked, Site } from './site.ts';

const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
const patience = { timeout: 60_000 };

/** Logs in from a deep link, asks again, tries what a page may and may not do, and logs out. */
export async function inChromium(found: Found, site: Site): Promise<void> {
  let browser: Browser | undefined;
  try {
    browser = await playwright.launch({ executablePath: found.path, args });
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(patience.timeout);
    await page.goto(`${site.url}/buyers/3?from=link`);
    await page.fill('input[name=login]', 'ann');
    await page.fill('input[name=password]', 'any');
    await page.click('button[type=submit]');
    await page.waitForSelector('input[name=prompt][value=consent]', { ...patience, state: 'attached' });
    await page.click('button[type=submit]');
    await page.waitForURL(`${site.url}/buyers/3?from=link`, patience);
    assert.equal((await asked(page)).path, '/buyers/3?from=link');

    await page.goto(`${site.url}/again`);
    assert.equal((await asked(page)).fields['x-tenant'], 't1');
    const posted = await page.evaluate(
      async () => (await fetch('/post', { method: 'POST', body: 'x' })).status,
    );
    const readable = await page.evaluate('document.cookie');
    assert.deepEqual(
      [posted, readable],
      [200, ''],
      'a page of this site may act, and cannot read the session',
    );

    // A page of another origin: its form is sent without the session, or refused with it.
    const stranger = await page.context().newPage();
    await stranger.goto(`${site.issuer}/.well-known/openid-configuration`);
    const status = await stranger.evaluate(
      (url) =>
        fetch(url, { method: 'POST', body: 'x', mode: 'no-cors', credentials: 'include' }).then(
          ({ type }) => type,
        ),
      `${site.url}/stolen`,
    );
    assert.equal(status, 'opaque');
    await stranger.close();

    await page.setContent('<form method="post" action="/oauth2/logout"><button>out</button></form>');
    await page.click('button');
    await page.waitForURL((url) => url.pathname.startsWith('/session/end'), patience);
    const left = await page.context().cookies(site.url);
    assert.deepEqual(
      left.filter(({ name }) => name.startsWith('heddle-session')).map(({ name }) => name),
      [],
    );
  } finally {
    await browser?.close();
  }
}

async function asked(page: Page): Promise<Asked> {
  return JSON.parse(await page.locator('body').innerText()) as Asked;
}
