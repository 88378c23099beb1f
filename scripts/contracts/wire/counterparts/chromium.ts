// Chromium before our server: HTTP/2 by ALPN and HTTP/1.1, streams both ways, WebSockets in both manners.
import assert from 'node:assert/strict';
import { emptyBody, endpoint, Fields, type HttpService, wholeBody } from '@heddle/wire';
import { type Browser, chromium as playwright, type Page } from 'playwright-core';
import type { Found } from '../../../engines/engine.ts';
import { digestOf, large, runtime, service, started, tls } from './subject.ts';
import { startWebSocketOrigin } from './web-socket-origin.ts';

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--ignore-certificate-errors',
];
const html = { 'content-type': 'text/html' };
const uploadBytes = 300_000;

/** What the page has asked, by version of HTTP; each rejects with what is wrong. */
export interface BrowserCase {
  readonly name: string;
  run(page: Page, url: string): Promise<void>;
}

const fetches: BrowserCase = {
  name: 'fetch, 50 at once and a large answer',
  run: async (page) => {
    const got = await page.evaluate(async () => {
      const all = Array.from({ length: 50 }, (_, turn) =>
        fetch(`/hello?${turn}`).then((answer) => answer.text()),
      );
      const texts = await Promise.all(all);
      const bytes = await (await fetch('/large')).arrayBuffer();
      return { texts, large: bytes.byteLength };
    });
    assert.deepEqual(got, { texts: Array.from({ length: 50 }, () => 'hello GET'), large: large.byteLength });
  },
};

const uploads: BrowserCase = {
  name: 'a large upload',
  run: async (page) => {
    const digest = await page.evaluate(async (size) => {
      const body = new Uint8Array(size).fill(7);
      return (await fetch('/digest', { method: 'POST', body })).text();
    }, uploadBytes);
    assert.equal(digest, digestOf(Buffer.alloc(uploadBytes, 7)));
  },
};

const streamsDown: BrowserCase = {
  name: 'an answer that comes bit by bit',
  run: async (page) => {
    const chunks = await page.evaluate(async () => {
      const reader = (await fetch('/drip')).body?.getReader();
      let count = 0;
      while ((await reader?.read())?.done === false) count++;
      return count;
    });
    assert.ok(chunks >= 3, `it came in ${chunks} pieces`);
  },
};

const streamsUp: BrowserCase = {
  name: 'an upload that goes bit by bit',
  run: async (page) => {
    const text = await page.evaluate(async () => {
      let turn = 0;
      const body = new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          if (turn < 5) controller.enqueue(new TextEncoder().encode(`pick ${turn++};`));
          else controller.close();
        },
      });
      const options = { method: 'POST', body, duplex: 'half' } as RequestInit;
      return (await fetch('/echo', options)).text();
    });
    assert.equal(text, 'pick 0;pick 1;pick 2;pick 3;pick 4;');
  },
};

const sockets: BrowserCase = {
  name: 'a WebSocket, passed on to a server of HTTP/1.1',
  run: async (page, url) => {
    const echoed = await page.evaluate(
      (address) =>
        new Promise<string[]>((resolve, reject) => {
          const socket = new WebSocket(address);
          const texts: string[] = [];
          socket.onopen = () => ['warp', 'w'.repeat(20_000)].forEach((text) => socket.send(text));
          socket.onerror = () => reject(new Error('the WebSocket failed'));
          socket.onmessage = ({ data }) => {
            if (texts.push(String(data)) === 2) socket.close();
          };
          socket.onclose = () => resolve(texts);
        }),
      `${url.replace('http', 'ws')}/chat`,
    );
    assert.deepEqual(echoed, ['warp', 'w'.repeat(20_000)]);
  },
};

/** What is asked over which version. Chromium streams uploads over HTTP/2 only. */
export const browserCases: Readonly<Record<'http/1.1' | 'h2', readonly BrowserCase[]>> = {
  'http/1.1': [fetches, uploads, streamsDown, sockets],
  h2: [fetches, uploads, streamsDown, streamsUp, sockets],
};

/** Opens a page of our server, with TLS where HTTP/2 is wanted, and gives it to `use`. */
export async function onPage(
  found: Found,
  version: 'http/1.1' | 'h2',
  use: (page: Page, url: string, protocols: ReadonlySet<string>) => Promise<void>,
): Promise<void> {
  const origin = await startWebSocketOrigin();
  const chat = endpoint({ runtime, address: origin.address, protocol: 'http1' });
  const protocols = new Set<string>();
  const site: HttpService = (request, call) => {
    if (request.protocol !== undefined) protocols.add(`${request.method} ${request.protocol}`);
    return request.protocol === undefined ? page(request, call) : chat.request(request, call);
  };
  const server = await started(site, version === 'h2' ? { tls } : {});
  let browser: Browser | undefined;
  try {
    browser = await playwright.launch({ executablePath: found.path, args });
    const opened = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
    const url = `${version === 'h2' ? 'https' : 'http'}://localhost:${server.address.port}`;
    await opened.goto(`${url}/`);
    await use(opened, url, protocols);
  } finally {
    await browser?.close();
    await server.stop();
    chat.close();
    origin.stop();
  }
}

/** What the browser says it has spoken. */
export function spoken(page: Page): Promise<string> {
  return page.evaluate(() => {
    const [entry] = performance.getEntries() as unknown as { readonly nextHopProtocol?: string }[];
    return entry?.nextHopProtocol ?? '';
  });
}

const page: HttpService = async (request, call) => {
  if (request.path === '/favicon.ico') return { status: 204, fields: new Fields(), body: emptyBody };
  if (request.path !== '/') return service(request, call);
  return { status: 200, fields: Fields.of(html), body: wholeBody(Buffer.from('<!doctype html><p>loom')) };
};
