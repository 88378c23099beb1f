// What the gateway speaks, to clients and servers of others: gRPC, gRPC-Web, JSON for gRPC, WebSocket, events,
// compression and CORS; by curl, grpc-js, the official gRPC-Web client and Chromium.
import { type Browser, chromium as playwright } from 'playwright-core';
import { chromium } from '../../engines/chromium.ts';
import { isMissing, obtain } from '../../engines/engine.ts';
import { type Contract, type ContractResult, resultOf } from '../result.ts';
import { browserCases } from './protocols/browser-cases.ts';
import { curlCases, noCurl, tunnelCases } from './protocols/curl-cases.ts';
import { Stage } from './protocols/stage.ts';
import { type ProtocolCase, transcodingCases } from './protocols/transcoding-cases.ts';

const backend = 'protocols';
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--ignore-certificate-errors',
];

/** Each promise is a result. */
export const protocols: Contract = {
  backend,
  run: async (only = () => true) => {
    const stage = await Stage.start();
    try {
      const results: ContractResult[] = [];
      results.push(...(await resultsOf([...transcodingCases, ...tunnelCases], stage, only)));
      const missing = await noCurl();
      if (missing === undefined) results.push(...(await resultsOf(curlCases, stage, only)));
      else results.push({ backend, version: '', case: 'curl', status: 'skipped', detail: missing });
      results.push(...(await inBrowser(stage, only)));
      return results;
    } finally {
      await stage.stop();
    }
  },
};

async function resultsOf(
  cases: readonly ProtocolCase[],
  stage: Stage,
  only: (name: string) => boolean,
): Promise<ContractResult[]> {
  const results: ContractResult[] = [];
  for (const { name, run } of cases)
    if (only(name)) results.push(await resultOf(backend, '', name, () => run(stage)));
  return results;
}

async function inBrowser(stage: Stage, only: (name: string) => boolean): Promise<ContractResult[]> {
  const wanted = browserCases.filter(({ name }) => only(name));
  if (wanted.length === 0) return [];
  const found = await obtain(chromium);
  if (isMissing(found))
    return [{ backend, version: '', case: 'Chromium', status: 'skipped', detail: found.missing }];
  let browser: Browser | undefined;
  try {
    browser = await playwright.launch({ executablePath: found.path, args });
    const results: ContractResult[] = [];
    for (const { name, run } of wanted) {
      const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
      page.setDefaultTimeout(60_000);
      await page.goto(`${stage.pageUrl}/`);
      results.push(await resultOf(backend, found.version, `Chromium: ${name}`, () => run(page, stage)));
      await page.close();
    }
    return results;
  } finally {
    await browser?.close();
  }
}
