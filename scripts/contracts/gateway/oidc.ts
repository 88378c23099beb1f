// Logins at a real OpenID provider through a real gateway: by hand for what must not be allowed, and by Chromium.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { chromium } from '../../engines/chromium.ts';
import { isMissing, obtain } from '../../engines/engine.ts';
import { root } from '../../files.ts';
import { type Contract, type ContractResult, resultOf } from '../result.ts';
import { inChromium } from './oidc/browser.ts';
import { loginCases } from './oidc/cases.ts';
import { introspectionCases } from './oidc/introspection-cases.ts';
import { Site } from './oidc/site.ts';

const backend = 'oidc';

/** Each promise is a result. */
export const oidc: Contract = {
  backend,
  run: async (only = () => true) => {
    const version = versionOf('oidc-provider');
    const site = await Site.start();
    try {
      const results: ContractResult[] = [];
      for (const each of [...loginCases, ...introspectionCases].filter(({ name }) => only(name))) {
        const run = async (): Promise<void> => {
          await site.gateway();
          await each.run(site);
        };
        results.push(await resultOf(backend, version, each.name, run));
      }
      const browser = 'Chromium logs in, comes back, stays, and logs out';
      if (only(browser)) results.push(await inBrowser(site, version, browser));
      return results;
    } finally {
      await site.stop();
    }
  },
};

async function inBrowser(site: Site, version: string, name: string): Promise<ContractResult> {
  const found = await obtain(chromium);
  if (isMissing(found)) return { backend, version, case: name, status: 'skipped', detail: found.missing };
  return resultOf(backend, version, name, async () => {
    await site.gateway();
    await inChromium(found, site);
  });
}

function versionOf(name: string): string {
  const file = path.join(root, 'node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
