// A mock that knows a contract and nothing else: what it takes, refuses and answers, by hand and by a generated client.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  httpClientSource,
  type Json,
  messageClientSource,
  mockService,
  operationsOf,
  schemaCheck,
  snippet,
} from '@heddle/api';
import { nodeRuntime } from '@heddle/kernel/node';
import { httpServer } from '@heddle/rpc';
import type { Contract } from '../result.ts';
import { shelves, suiteOf } from './cases.ts';

const run = promisify(execFile);
const runtime = nodeRuntime({ name: 'mock', logLevel: 'error' });
const root = path.join(import.meta.dirname, '..', '..', '..');
const tsc = path.join(root, 'node_modules', '@typescript', 'native', 'bin', 'tsc');
const strict =
  '--ignoreConfig --noEmit --strict --exactOptionalPropertyTypes --module nodenext --target esnext --allowImportingTsExtensions --skipLibCheck --types node --customConditions @heddle/source';

async function mocked(work: (url: string) => Promise<void>): Promise<void> {
  const server = httpServer(mockService(shelves), { runtime });
  await server.start();
  try {
    await work(`http://127.0.0.1:${server.address.port}`);
  } finally {
    await server.stop();
  }
}

/** A folder in which a generated module finds the packages of this workspace. */
async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(root, 'docs', '.example-generated-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const tenant = { 'x-tenant': 'a' };
const shelf = {
  id: '3f0c7f2e-8b1a-4c3d-9e5f-6a7b8c9d0e1f',
  theme: 'sea',
  books: [{ title: 'Whales', next: null }],
};

/** The mock's suite. */
export const mockContract: Contract = suiteOf('mock', () => '', {
  'every answer is one that the contract has': () =>
    mocked(async (url) => {
      const check = schemaCheck(shelves.openapi ?? {});
      const listed = await fetch(`${url}/shelves?page=2`, { headers: tenant });
      assert.deepEqual([listed.status, listed.headers.get('content-type')], [200, 'application/json']);
      assert.deepEqual(
        check({ type: 'array', items: { $ref: '#/components/schemas/Shelf' } }, await listed.json()),
        [],
      );
      const body = JSON.stringify(shelf);
      const added = await fetch(`${url}/shelves`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      assert.equal(added.status, 201);
      assert.deepEqual(check({ $ref: '#/components/schemas/Shelf' }, await added.json()), []);
      assert.equal((await fetch(`${url}/shelves/1`, { method: 'DELETE' })).status, 204);
      assert.equal((await fetch(`${url}/shelves/1`, { headers: { prefer: 'code=404' } })).status, 404);
    }),
  'what the contract does not take is refused, with every problem': () =>
    mocked(async (url) => {
      const bad = await fetch(`${url}/shelves?page=0`);
      const { detail } = (await bad.json()) as { detail: string };
      assert.deepEqual([bad.status, detail], [400, 'query page: must be >= 1; header x-tenant: is missing']);
      const post = (body: Json): Promise<Response> =>
        fetch(`${url}/shelves`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
      assert.match(
        await (await post({ id: 'no', theme: 'x', books: [{}] })).text(),
        /uuid[^]*theme[^]*title/,
      );
      assert.equal((await fetch(`${url}/nowhere`)).status, 404);
      const method = await fetch(`${url}/shelves`, { method: 'PATCH' });
      assert.deepEqual([method.status, method.headers.get('allow')], [405, 'GET, POST']);
    }),
  'a generated client compiles under strict rules, and runs against it': () =>
    mocked((url) =>
      inFolder(async (folder) => {
        writeFileSync(path.join(folder, 'http-client.ts'), httpClientSource(shelves.openapi ?? {}));
        writeFileSync(
          path.join(folder, 'program.ts'),
          `import { ApiError, createClient } from './http-client.ts';
const client = createClient({ baseUrl: ${JSON.stringify(url)} });
const shelves = await client.listShelves({ 'x-tenant': 'a', page: 2, tag: ['x', 'y'] });
const theme: string = shelves[0]?.theme ?? '';
const added = await client.addShelf({ body: { id: ${JSON.stringify(shelf.id)}, theme: 'sea' } });
const gone: undefined = await client.removeShelf({ id: '1' });
const refused = await client.listShelves({ 'x-tenant': 'a', page: 0 }).catch((error: unknown) => error instanceof ApiError ? error.status : 0);
console.log(theme, added.theme, gone, refused);
`,
        );
        await run(process.execPath, [tsc, ...strict.split(' '), 'program.ts'], { cwd: folder });
        const { stdout } = await run(process.execPath, [path.join(folder, 'program.ts')]);
        assert.equal(stdout, 'text text undefined 400\n');
        // What the contract does not have does not compile.
        writeFileSync(
          path.join(folder, 'wrong.ts'),
          `import { createClient } from './http-client.ts';\nawait createClient({ baseUrl: '' }).getShelf({ shelf: 1 });\n`,
        );
        await assert.rejects(run(process.execPath, [tsc, ...strict.split(' '), 'wrong.ts'], { cwd: folder }));
      }),
    ),
  'generated functions for messages compile, and carry what the contract says over a broker': () =>
    inFolder(async (folder) => {
      writeFileSync(path.join(folder, 'messages.ts'), messageClientSource(shelves.asyncapi ?? {}));
      writeFileSync(
        path.join(folder, 'program.ts'),
        `import { nodeRuntime } from '@heddle/kernel/node';
import { broker } from '@heddle/messaging';
import { memoryEngine } from '@heddle/messaging/memory';
import { onShelvesEvents, publishShelfDust } from './messages.ts';
const runtime = nodeRuntime({ name: 'generated', logLevel: 'error' });
const bus = broker(memoryEngine(runtime), { runtime, source: 'test' });
for (const topic of ['shelves.events', 'shelves.orders']) await bus.createTopic(topic);
const seen = new Promise<string>((resolve) => {
  void onShelvesEvents(bus, 'readers', async (message) => {
    if (message.type === 'shelf.added') resolve(message.payload.id);
  });
});
await publishShelfDust(bus, { id: 's1', wet: true }, 's1');
await bus.publish({ topic: 'shelves.events', type: 'shelf.added', payload: new TextEncoder().encode('{"id":"s2"}') });
console.log(await seen);
await bus.close();
process.exit();
`,
      );
      await run(process.execPath, [tsc, ...strict.split(' '), 'program.ts'], { cwd: folder });
      const { stdout } = await run(process.execPath, [
        '--conditions=@heddle/source',
        path.join(folder, 'program.ts'),
      ]);
      assert.equal(stdout, 's2\n');
    }),
  'snippets for curl and TypeScript do what they show': () =>
    mocked(async (url) => {
      for (const operation of operationsOf(shelves)) {
        for (const language of ['curl', 'typescript'] as const) {
          if (operation.kind === 'message' || (operation.kind === 'grpc' && language === 'typescript'))
            continue;
          const text = snippet(shelves, operation, language, url);
          if (text === undefined) continue;
          const [command, args] =
            language === 'curl'
              ? (['sh', ['-c', `${text} -o /dev/null -w '%{http_code}'`]] as const)
              : ([process.execPath, ['--input-type=module', '-e', text]] as const);
          const { stdout } = await run(command, args);
          assert.match(stdout, /^2\d\d/, `${operation.id} ${language}: ${text}`);
        }
      }
    }),
});
