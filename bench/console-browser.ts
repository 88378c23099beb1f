import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

/** What a browser has measured of the console's pages, on the answers that `dataset` makes. */
export interface BrowserFigures {
  /** From the request of the first page to the overview standing there, by a browser that has nothing yet; ms. */
  readonly firstPaintMs: number;
  /** From the request of a trace's page to its lines standing there; ms. */
  readonly traceOpenMs: number;
  /** Frames a second: the picture of the topology dragged, the trace scrolled, the table scrolled. */
  readonly panFps: number;
  readonly traceScrollFps: number;
  readonly tableScrollFps: number;
  /** Nodes of the topology that stand elsewhere after three refreshes. */
  readonly nodesMoved: number;
}

const dist = path.join(import.meta.dirname, '..', 'apps', 'console', 'dist');
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

/** Median frames a second while `step`, a statement in the page, is done once in each of a hundred frames. */
async function fps(page: Page, step: string): Promise<number> {
  const median = await page.evaluate<number>(`new Promise((resolve) => {
    const taken = [];
    let last = 0;
    const frame = (now) => {
      if (last > 0) taken.push(now - last);
      last = now;
      if (taken.length >= 100) return resolve(taken.sort((a, b) => a - b)[50]);
      const at = taken.length;
      ${step};
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  })`);
  return 1000 / median;
}

const drag = `{
  const graph = document.querySelector('.graph');
  const way = (at % 20 < 10 ? at % 20 : 20 - (at % 20)) * 12;
  if (at === 0) graph.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true, clientX: 400, clientY: 400, buttons: 1 }));
  graph.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: 400 + way, clientY: 400 + way, buttons: 1 }));
}`;

async function fresh<T>(browser: Browser, work: (page: Page) => Promise<T>): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US' });
  try {
    return await work(await context.newPage());
  } finally {
    await context.close();
  }
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
  const medianOf = async (place: string, shown: string): Promise<number> => {
    const all: number[] = [];
    for (let round = 0; round < rounds; round++)
      all.push(await fresh(browser, (page) => openedMs(page, url + place, shown)));
    return all.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
  };
  try {
    const line = '.waterfall .span';
    const firstPaintMs = await medianOf('/', '.service-card');
    const traceOpenMs = await medianOf('/traces/abc', line);
    const [traceScrollFps, tableScrollFps] = [
      await fresh(browser, async (page) => {
        await openedMs(page, `${url}/traces/abc`, line);
        return fps(page, 'document.querySelector(".waterfall").scrollTop += 400');
      }),
      await fresh(browser, async (page) => {
        await openedMs(page, `${long.url}/services`, 'tr[data-row]');
        return fps(page, 'document.querySelector(".table-region").scrollTop += 400');
      }),
    ];
    const [panFps, nodesMoved] = await fresh(browser, async (page) => {
      await openedMs(page, `${url}/topology?most=500`, '[data-node]');
      const before = JSON.parse(await page.evaluate<string>(placesOf)) as [string, string][];
      for (let refresh = 0; refresh < 3; refresh++) await page.waitForResponse(/api\/console\/topology/);
      const after = new Map(JSON.parse(await page.evaluate<string>(placesOf)) as [string, string][]);
      const moved = before.filter(([node, place]) => after.get(node) !== place).length;
      return [await fps(page, drag), moved] as const;
    });
    return { firstPaintMs, traceOpenMs, panFps, traceScrollFps, tableScrollFps, nodesMoved };
  } finally {
    await browser.close();
    close();
    long.close();
  }
}
