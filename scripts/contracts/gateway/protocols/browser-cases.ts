// Chromium on a page of another site: CORS, gRPC-Web by its official client, WebSockets and events.
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { type Stage, timeoutMs } from './stage.ts';

/** What is done on a page. */
export interface BrowserCase {
  readonly name: string;
  readonly run: (page: Page, stage: Stage) => Promise<void>;
}

/** What became of a request of a page: its status and text, or that the browser did not let it happen. */
function tried(page: Page, url: string, init: object = {}): Promise<string> {
  return page.evaluate(
    async ([target, options]) => {
      try {
        const answer = await fetch(target, options);
        return `${answer.status} ${(await answer.text()).slice(0, 10)} ${answer.headers.get('x-told')}`;
      } catch {
        return 'not allowed';
      }
    },
    [url, init] as const,
  );
}

/** All of them. */
export const browserCases: readonly BrowserCase[] = [
  {
    name: 'CORS: a page reads what it may, with what is exposed, and nothing else',
    run: async (page, { url, asked }) => {
      assert.equal(await tried(page, `${url}/shared/told`), '200 told yes');
      assert.equal(await tried(page, `${url}/shared/told`, { credentials: 'include' }), '200 told yes');
      assert.equal(
        await tried(page, `${url}/told`),
        '200 told null',
        'the upstream speaks for itself where no route does',
      );
      assert.equal(await tried(page, `${url}/quiet/text`), 'not allowed');
      asked.length = 0;
      assert.match(
        await tried(page, `${url}/shared/x`, { method: 'PUT', headers: { 'x-mine': '1' } }),
        /^200/,
      );
      assert.equal(await tried(page, `${url}/shared/x`, { method: 'DELETE' }), 'not allowed');
      assert.equal(await tried(page, `${url}/shared/x`, { headers: { 'x-other': '1' } }), 'not allowed');
      assert.deepEqual(asked, ['PUT /shared/x'], 'no preflight reaches the upstream');
    },
  },
  {
    name: 'CORS: a preflight finds the route of the request that it is about, and no other',
    run: async (page, { url, asked }) => {
      asked.length = 0;
      assert.match(await tried(page, `${url}/put-only/x`, { method: 'PUT' }), /^200/);
      assert.equal(await tried(page, `${url}/put-only/private/x`, { method: 'PUT' }), 'not allowed');
      assert.ok(!asked.includes('PUT /put-only/private/x'), asked.join());
    },
  },
  {
    name: 'gRPC-Web by its official client: a call, an error, a stream, in binary and in text',
    run: async (page, { url, pageUrl }) => {
      for (const format of ['text', 'binary']) {
        const got: Record<string, unknown> = await page.evaluate(grpcWebScript(format, url, pageUrl));
        assert.match(String(got['called']), /shelves\/1\/books\/2.*asked by web/, format);
        assert.deepEqual(got['missing'], { code: 5, message: 'no book missing' }, format);
        if (format === 'text')
          assert.equal(got['streamed'], 5, 'the binary form is for calls only in this client');
      }
    },
  },
  ...(['url', 'secureUrl'] as const).map(
    (which): BrowserCase => ({
      name: `a WebSocket over ${which === 'url' ? 'HTTP/1.1' : 'HTTP/2'}, open longer than the timeout of its route`,
      run: async (page, stage) => {
        await page.goto(`${stage[which]}/short`);
        const got = await page.evaluate(
          ([address, waitMs]) =>
            new Promise<string[]>((resolve, reject) => {
              const socket = new WebSocket(address);
              const texts: string[] = [];
              socket.onopen = () => socket.send('warp');
              socket.onerror = () => reject(new Error('the WebSocket failed'));
              socket.onmessage = ({ data }) => {
                texts.push(String(data));
                if (texts.length === 1) setTimeout(() => socket.send('w'.repeat(20_000)), waitMs);
                else socket.close();
              };
              socket.onclose = () => resolve(texts);
            }),
          [`${stage[which].replace('http', 'ws')}/chat`, timeoutMs + 300] as const,
        );
        assert.deepEqual(got, ['warp', 'w'.repeat(20_000)]);
        const refused = await page.evaluate(
          (addresses) =>
            Promise.all(
              addresses.map(
                (address) =>
                  new Promise<string>((resolve) => {
                    const socket = new WebSocket(address);
                    socket.onopen = () => resolve('open');
                    socket.onerror = () => resolve('refused');
                  }),
              ),
            ),
          ['/no-chat', '/chat/denied', '/chat/known'].map(
            (target) => stage[which].replace('http', 'ws') + target,
          ),
        );
        assert.deepEqual(refused, ['refused', 'refused', 'refused']);
      },
    }),
  ),
  ...(['url', 'secureUrl'] as const).map(
    (which): BrowserCase => ({
      name: `an EventSource over ${which === 'url' ? 'HTTP/1.1' : 'HTTP/2'} hears each event when it is sent`,
      run: async (page, stage) => {
        await page.goto(`${stage[which]}/short`);
        const heard: string[] = [];
        await page.exposeFunction(`heard${which}`, (text: string) => heard.push(text));
        await page.evaluate(
          `{ const source = new EventSource('/events'); source.onmessage = ({ data }) => heard${which}(data); }`,
        );
        for (const text of ['one', 'two', 'three']) {
          await until(() => stage.drip('') === 1);
          stage.drip(`data: ${text}\n\n`);
          await until(() => heard.includes(text));
        }
        assert.deepEqual(heard, ['one', 'two', 'three']);
        await page.goto('about:blank');
        await until(() => stage.drip('') === 0);
      },
    }),
  ),
];

/** Messages by hand, as generated code would: the client's own part is what is tested. */
function grpcWebScript(format: string, url: string, pageUrl: string): string {
  return `(async () => {
    const { GrpcWebClientBase, MethodDescriptor, MethodType } = (await import('${pageUrl}/grpc-web.js'));
    const write = (text) => { const bytes = new TextEncoder().encode(text); return new Uint8Array([10, bytes.length, ...bytes]); };
    const method = (name, type, write) => new MethodDescriptor('/shelf.v1.Shelves/' + name, type, Object, Object, write,
      (bytes) => new TextDecoder().decode(bytes));
    const client = new GrpcWebClientBase({ format: '${format}' });
    const get = (name) => client.unaryCall('${url}/shelf.v1.Shelves/GetBook', name, { 'x-who': 'web' },
      method('GetBook', MethodType.UNARY, write)).then((text) => text, ({ code, message }) => ({ code, message }));
    const called = await get('shelves/1/books/2');
    const missing = await get('missing');
    const streamed = await new Promise((resolve, reject) => {
      if ('${format}' === 'binary') return resolve(0);
      let count = 0;
      const watch = method('WatchShelf', MethodType.SERVER_STREAMING, (text) => new Uint8Array([...write(text), 16, 5]));
      const stream = client.serverStreaming('${url}/shelf.v1.Shelves/WatchShelf', 's', {}, watch);
      stream.on('data', () => count++);
      stream.on('error', reject);
      stream.on('end', () => resolve(count));
    });
    return { called, missing, streamed };
  })()`;
}

async function until(holds: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  while (!holds()) {
    assert.ok(performance.now() < giveUpAt, 'it does not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
