import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type Browser, type CDPSession, chromium, type Page } from 'playwright-core';

/** What a browser has measured of the console's pages, on the answers that `dataset` makes. */
export interface BrowserFigures {
  /** From the request of the first page to the overview standing there, by a browser that has nothing yet; ms. */
  readonly firstPaintMs: number;
  /** How long the page's own thread works for that; ms. */
  readonly firstPaintBusyMs: number;
  /** From the request of a trace's page to its lines standing there; ms. */
  readonly traceOpenMs: number;
  /** The picture of the topology dragged, the trace scrolled, the table scrolled. */
  readonly pan: Motion;
  readonly traceScroll: Motion;
  readonly tableScroll: Motion;
  /** Nodes of the topology that stand elsewhere after three refreshes. */
  readonly nodesMoved: number;
}

/** How something moves. */
export interface Motion {
  /** Frames a second; the median. */
  readonly fps: number;
  /** What a frame takes of a processor, in all processes of the browser together. */
  readonly cpuMs: number;
}

const dist = path.join(import.meta.dirname, '..', '..', 'apps', 'console', 'dist');
const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** The data that the pages are shown: JSON by the beginning of a path. */
export type Dataset = Readonly<Record<string, () => unknown>>;

function send(response: ServerResponse, type: string, body: string | Buffer): void {
  response.writeHead(200, { 'content-type': type }).end(body);
}

/** The built pages, and made-up answers for what they ask. */
async function served(dataset: Dataset): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer((request, response) => {
    const at = request.url ?? '/';
    if (at.startsWith('/api/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: overview\ndata: ${JSON.stringify(dataset['/api/events']?.())}\n\n`);
      return;
    }
    const answer = Object.keys(dataset).find((prefix) => at.startsWith(prefix));
    if (answer !== undefined) return send(response, 'application/json', JSON.stringify(dataset[answer]?.()));
    const extension = path.extname(at.split('?', 1)[0] ?? '');
    const name = extension === '' ? 'index.html' : path.basename(at);
    return send(response, types[extension] ?? 'text/html', readFileSync(path.join(dist, name)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const frames = 100;

/** How the page moves while `step`, a statement in it, is done once in each frame. Rejects if `place` stays what it is. */
async function motion(page: Page, step: string, place: string): Promise<Motion> {
  const browser = page.context().browser();
  if (browser === null) throw new Error('a page of no browser');
  const session = await browser.newBrowserCDPSession();
  const [placeBefore, cpuBefore] = [await page.evaluate(place), await cpuMsOf(session)];
  const median = await page.evaluate<number>(`new Promise((resolve) => {
    const taken = [];
    let last = 0;
    const frame = (now) => {
      if (last > 0) taken.push(now - last);
      last = now;
      if (taken.length >= ${frames}) return resolve(taken.sort((a, b) => a - b)[${frames / 2}]);
      const at = taken.length;
      ${step};
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  })`);
  const cpuMs = ((await cpuMsOf(session)) - cpuBefore) / frames;
  await session.detach();
  if ((await page.evaluate(place)) === placeBefore) throw new Error(`nothing has moved: ${place}`);
  return { fps: 1000 / median, cpuMs };
}

async function cpuMsOf(session: CDPSession): Promise<number> {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0) * 1000;
}

/** To the left and up, which is where there is more of the picture, and back. */
const drag = `{
  const graph = document.querySelector('.graph');
  const way = (at % 40 < 20 ? at % 40 : 40 - (at % 40)) * 12;
  const said = { bubbles: true, pointerType: 'mouse', pointerId: 1, button: 0, buttons: 1, clientX: 700 - way, clientY: 700 - way };
  if (at === 0) graph.dispatchEvent(new PointerEvent('pointerdown', said));
  graph.dispatchEvent(new PointerEvent('pointermove', said));
}`;
const graphPlace =
  'JSON.stringify(document.querySelector(".graph svg").firstElementChild.getBoundingClientRect())';

async function fresh<T>(browser: Browser, work: (page: Page) => Promise<T>): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US' });
  try {
    return await work(await context.newPage());
  } finally {
    await context.close();
  }
}

function scrolled(page: Page, region: string): Promise<Motion> {
  const place = `document.querySelector("${region}").scrollTop`;
  return motion(page, `${place} += 400`, place);
}

/** The same, and how long the page's own thread works for it: on a machine that does other things too, that alone can be compared. */
async function openedBusyMs(
  page: Page,
  url: string,
  shown: string,
): Promise<readonly [ms: number, busyMs: number]> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const ms = await openedMs(page, url, shown);
  const { metrics } = await session.send('Performance.getMetrics');
  const seconds = metrics.find(({ name }) => name === 'TaskDuration')?.value;
  if (seconds === undefined) throw new Error('the browser does not tell how long the page has worked');
  return [ms, seconds * 1000];
}

async function openedMs(page: Page, url: string, shown: string): Promise<number> {
  const startMs = performance.now();
  await page.goto(url, { waitUntil: 'commit' });
  await page.waitForSelector(shown);
  return performance.now() - startMs;
}

const placesOf =
  'JSON.stringify([...document.querySelectorAll("[data-node]")].map((one) => [one.dataset.node, one.getAttribute("transform")]))';

/** Measures with the Chromium at a path, without a GPU. `rounds`: of what is timed; the median counts. */
export async function browserFigures(
  executablePath: string,
  dataset: Dataset,
  /** What is answered instead for a page with fifty thousand rows. */
  many: Dataset,
  rounds: number,
): Promise<BrowserFigures> {
  const { url, close } = await served(dataset);
  const long = await served({ ...dataset, ...many });
  const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
  const browser = await chromium.launch({ executablePath, args });
  const medianOf = async (place: string, shown: string): Promise<readonly [ms: number, busyMs: number]> => {
    const all: (readonly [ms: number, busyMs: number])[] = [];
    for (let round = 0; round < rounds; round++)
      all.push(await fresh(browser, (page) => openedBusyMs(page, url + place, shown)));
    const middle = (of: readonly number[]): number =>
      of.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
    return [middle(all.map(([ms]) => ms)), middle(all.map(([, busyMs]) => busyMs))];
  };
  try {
    const line = '.waterfall .span';
    const [firstPaintMs, firstPaintBusyMs] = await medianOf('/', '.service-card');
    const [traceOpenMs] = await medianOf('/traces/abc', line);
    const traceScroll = await fresh(browser, async (page) => {
      await openedMs(page, `${url}/traces/abc`, line);
      return scrolled(page, '.waterfall');
    });
    const tableScroll = await fresh(browser, async (page) => {
      await openedMs(page, `${long.url}/services`, 'tr[data-row]');
      return scrolled(page, '.table-region');
    });
    const [pan, nodesMoved] = await fresh(browser, async (page) => {
      await openedMs(page, `${url}/topology?most=500`, '[data-node]');
      const before = JSON.parse(await page.evaluate<string>(placesOf)) as [string, string][];
      for (let refresh = 0; refresh < 3; refresh++) await page.waitForResponse(/api\/console\/topology/);
      const after = new Map(JSON.parse(await page.evaluate<string>(placesOf)) as [string, string][]);
      const moved = before.filter(([node, place]) => after.get(node) !== place).length;
      return [await motion(page, drag, graphPlace), moved] as const;
    });
    return { firstPaintMs, firstPaintBusyMs, traceOpenMs, pan, traceScroll, tableScroll, nodesMoved };
  } finally {
    await browser.close();
    close();
    long.close();
  }
}
