// The site as a reader opens it: from files, each page there, no link broken, and found by a search.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { pages, titleOf } from './pages.ts';
import { type Site, writeSite } from './site.ts';

describe('the documentation site', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-site-'));
  let site: Site;
  before(async () => {
    site = await writeSite(folder);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('has no broken link and no comment that cannot be read', () => {
    assert.deepEqual(site.problems, []);
  });

  test('has every page of the repository, in the menu by its title', () => {
    const menu = compressed('navigation.js');
    for (const { file } of pages()) assert.ok(menu.includes(JSON.stringify(titleOf(file))), file);
    assert.ok(menu.includes('"@heddle/data/saga"'));
  });

  test('finds what pages say, and what the reference says', () => {
    const index = compressed('search.js');
    for (const word of ['tutorial', 'tokenbucket']) assert.ok(index.includes(word), word);
  });

  test('needs nothing from the network', () => {
    const text = readFileSync(path.join(folder, 'index.html'), 'utf8');
    assert.deepEqual(
      [...text.matchAll(/<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)"/g)].map(([, url]) => url),
      [],
    );
    assert.ok(existsSync(path.join(folder, 'assets', 'main.js')));
  });

  /** What the site's own script reads: JSON, deflated, in base64. */
  function compressed(asset: string): string {
    const text = readFileSync(path.join(folder, 'assets', asset), 'utf8');
    const [, base64 = ''] = /"([A-Za-z0-9+/=]+)"/.exec(text) ?? [];
    return inflateSync(Buffer.from(base64, 'base64')).toString();
  }
});
