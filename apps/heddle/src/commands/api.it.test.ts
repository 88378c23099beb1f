import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { contractKey, contractPath, type Contract, type JsonObject, schemaCheck } from '@heddle/api';
import { remoteRegistry } from '@heddle/discovery/node';
import { nodeRuntime } from '@heddle/kernel/node';
import { jsonAnswer } from '@heddle/proxy';
import { httpServer } from '@heddle/rpc';
import { readUpState, type UpState } from '../node/data-folder.ts';
import { StartedCli } from '../node/started-cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-api-'));
const data = path.join(folder, 'data');
const root = path.join(import.meta.dirname, '..', '..', '..', '..');
const limit = { timeout: 600_000 };
let cli: StartedCli;
let up: UpState;

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

async function api(...words: string[]): Promise<Ran> {
  const ran = new StartedCli(['api', ...words, '--data', data]);
  return { code: await ran.exited, output: ran.output };
}

async function until<T>(probe: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function asked(at: string): Promise<Response> {
  return fetch(`${up.console}${at}`, { headers: { authorization: `Bearer ${up.token}` } });
}

async function catalogue<T>(at: string): Promise<T> {
  return (await (await asked(`/api/catalogue${at}`)).json()) as T;
}

before(async () => {
  const args = ['up', '--shop', '--no-load', '--port', '0', '--console-port', '0', '--data', data];
  cli = new StartedCli(args);
  await cli.printed(/ready\n +console/);
  up = readUpState(data);
});
after(async () => {
  cli.child.kill('SIGTERM');
  await cli.exited;
  rmSync(folder, { recursive: true, force: true });
});

describe('the API catalogue of heddle up', { timeout: 2_400_000 }, () => {
  test(
    'the services of the shop are in it by themselves, with what they serve over HTTP and gRPC',
    limit,
    async () => {
      const names = ['inventory', 'notification', 'order', 'payment', 'product', 'shipping', 'user'];
      const services = await until(async () => {
        const found = await catalogue<{ services: { service: string; kinds: string[]; version: number }[] }>(
          '',
        );
        return found.services.length >= names.length ? found.services : undefined;
      });
      assert.deepEqual(
        services.map(({ service }) => service),
        names,
      );
      assert.deepEqual(services.find(({ service }) => service === 'order')?.kinds, ['http', 'grpc']);
      // Two instances of each, one contract.
      assert.ok(services.every(({ version }) => version === 1));
      const { output } = await api('search', 'stock');
      assert.match(output, /inventory +http +GET \/stock\/\{productId\}/);
      assert.match(output, /inventory +grpc +shop\.inventory\.v1\.InventoryService\/GetStock/);
      const page = await asked('/api/catalogue/order/docs');
      assert.match(await page.text(), /POST \/orders[^]*grpcurl -plaintext/);
    },
  );

  test('what the services answer is what their contracts say', limit, async () => {
    const placed = await fetch(`${up.gateway}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'first' },
      body: JSON.stringify({ userId: 'u00001', items: [{ productId: 'p00001', quantity: 1 }] }),
    });
    assert.equal(placed.status, 201);
    const { orderId } = (await placed.json()) as { orderId: string };
    const routes: Record<string, readonly [service: string, path: string]> = {
      'GET /users/{userId}': ['user', '/users/u00001'],
      'GET /products': ['product', '/products?query=kettle'],
      'GET /products/{productId}': ['product', '/products/p00001'],
      'GET /stock/{productId}': ['inventory', '/stock/p00001'],
      'GET /orders/{orderId}': ['order', `/orders/${orderId}`],
      'GET /payments/{orderId}': ['payment', `/payments/${orderId}`],
      'GET /shipments/{orderId}': ['shipping', `/shipments/${orderId}`],
      'GET /notifications': ['notification', `/notifications?orderId=${orderId}`],
    };
    for (const [operation, [service, at]] of Object.entries(routes)) {
      const { openapi = {} } = await catalogue<Contract>(`/${service}/contract`);
      const [method = '', route = ''] = operation.split(' ');
      const { paths } = openapi as unknown as { paths: Record<string, Record<string, Answers>> };
      const schema =
        paths[route]?.[method.toLowerCase()]?.responses['200'].content['application/json'].schema;
      assert.ok(schema !== undefined, operation);
      const answer = await fetch(`${up.gateway}${at}`);
      assert.equal(answer.status, 200, operation);
      assert.deepEqual(schemaCheck(openapi)(schema, await answer.json()), [], operation);
    }
  });

  test('heddle api call tries HTTP and gRPC by the registry', limit, async () => {
    const http = await api('call', 'user', 'GET /users/{userId}', 'userId=u00002');
    assert.equal(http.code, 0, http.output);
    assert.match(http.output, /"userId":"u00002"/);
    const missing = await api('call', 'order', 'getOrder', 'orderId=none');
    assert.deepEqual([missing.code, /^404$/m.test(missing.output)], [1, true], missing.output);
    const grpc = await api('call', 'user', 'GetUser', '--body', '{"userId":"u00003"}');
    assert.match(grpc.output, /"user":\{"userId":"u00003"/);
    const wrong = await api('call', 'user', 'Nothing');
    assert.match(wrong.output, /there is no operation "Nothing"; there are GET \/users\/\{userId\}/);
  });

  test(
    'a deployment that breaks others is kept out, names them, and comes in when it is approved',
    limit,
    async (t) => {
      const { openapi } = await catalogue<Contract>('/product/contract');
      const { paths, ...rest } = openapi as unknown as { paths: Record<string, object> };
      // The new code has lost a route that the gateway was seen to call for its users.
      const { '/products': _, ...fewer } = paths;
      const contract = {
        ...(await catalogue<Contract>('/product/contract')),
        openapi: { ...rest, paths: fewer },
      };
      const calls: string[] = [];
      const runtime = nodeRuntime({ name: 'product', logLevel: 'error', dataFolder: folder });
      const server = httpServer(
        async (request) => {
          calls.push(request.path);
          return jsonAnswer(200, request.path === contractPath ? contract : {});
        },
        { runtime },
      );
      await server.start();
      t.after(() => server.stop());
      const address = { host: '127.0.0.1', port: Number(new URL(up.console).port) };
      const registry = remoteRegistry({ runtime, addresses: [address], token: up.token });
      t.after(() => registry.close());
      await until(async () => {
        const known = await catalogueOfCalls();
        return known ? true : undefined;
      });
      await registry.register({
        id: 'product-new',
        service: 'product',
        address: '127.0.0.1',
        port: server.address.port,
        protocol: 'http',
        version: 'v2',
        metadata: { [contractKey]: contractPath },
      });
      const kept = (await registry.instances('product')).instances.find(({ id }) => id === 'product-new');
      assert.equal(kept?.state, 'maintenance');
      const hash = kept.metadata['quarantine'] ?? '';
      const shown = await api('quarantine');
      assert.match(shown.output, new RegExp(`product ${hash} +code v2, instances product-new`));
      assert.match(shown.output, /breaking +GET \/products: is no longer served \(operation-removed\)/);
      assert.match(shown.output, /would break: gateway \(calls: GET \/products\)/);
      for (let tries = 0; tries < 20; tries++) await fetch(`${up.gateway}/products/p00001`);
      assert.deepEqual(
        calls.filter((one) => one !== contractPath && one !== '/metrics'),
        [],
        'it gets no calls',
      );
      const approved = await api('approve', 'product', hash, '--by', 'ada');
      assert.match(approved.output, /product is at version 2, and its instances get calls/);
      const now = (await registry.instances('product')).instances.find(({ id }) => id === 'product-new');
      assert.deepEqual([now?.state, now?.metadata['quarantine']], ['running', undefined]);
      assert.match((await api('versions', 'product')).output, /2 +v2 .* ada/);
      assert.match((await api('diff', 'product', '1', '2')).output, /^breaking +GET \/products/m);

      /** A trace of such a call is in the store. */
      async function catalogueOfCalls(): Promise<boolean> {
        await fetch(`${up.gateway}/products`);
        const found = await asked(
          `/api/traces?service=product&tags=${encodeURIComponent('{"http.route":"/products"}')}`,
        );
        const { data: traces = [] } = (await found.json()) as {
          data?: { processes: Record<string, { serviceName: string }> }[];
        };
        return traces.some(({ processes }) =>
          Object.values(processes).some(({ serviceName }) => serviceName === 'gateway'),
        );
      }
    },
  );

  test('keys: made, listed without the key, taken back', limit, async () => {
    const made = await api('key', 'create', 'ci', '--role', 'reader', '--quota', '100/hour');
    assert.equal(made.code, 0, made.output);
    const [secret = ''] = /hdl_[\w-]{43}/.exec(made.output) ?? [];
    assert.ok(secret);
    const listed = await api('key', 'list');
    assert.match(listed.output, /ci +reader +100\/hour/);
    assert.ok(!listed.output.includes(secret));
    assert.match((await api('key', 'revoke', 'ci')).output, /ci opens nothing any more/);
    assert.match((await api('key', 'list')).output, /no keys yet/);
  });

  test('clients of the shop compile, and those of HTTP run', limit, async () => {
    const out = mkdtempSync(path.join(root, 'docs', '.example-client-'));
    try {
      const made = await api('client', 'order', '--out', out);
      assert.equal(made.code, 0, made.output);
      const program = `import { createClient, ApiError } from './http-client.ts';
const client = createClient({ baseUrl: process.argv[2] ?? '' });
const placed = await client.placeOrder({ 'idempotency-key': 'generated', body: { userId: 'u00001', items: [{ productId: 'p00002', quantity: 1 }] } });
if (!('orderId' in placed)) throw new Error('no order');
const found = await client.getOrder({ orderId: placed.orderId });
const status = await client.getOrder({ orderId: 'none' }).catch((error: unknown) => error instanceof ApiError ? error.status : 0);
console.log(found.state, status);
`;
      writeFileSync(path.join(out, 'program.ts'), program);
      const tsc = path.join(root, 'node_modules', '@typescript', 'native', 'bin', 'tsc');
      const files = readdirSync(out, { recursive: true })
        .map(String)
        .filter((name) => name.endsWith('.ts'));
      assert.ok(files.includes('shop/order/v1/order_pb.ts'), files.join());
      const options =
        '--ignoreConfig --noEmit --strict --module nodenext --target esnext --allowImportingTsExtensions --skipLibCheck --types node'.split(
          ' ',
        );
      await promisify(execFile)(process.execPath, [tsc, ...options, ...files], { cwd: out });
      const ran = await promisify(execFile)(process.execPath, [path.join(out, 'program.ts'), up.gateway]);
      assert.equal(ran.stdout, 'confirmed 404\n');
      assert.match(
        readFileSync(path.join(out, 'http-client.ts'), 'utf8'),
        /placeOrder\(input: PlaceOrderInput\)/,
      );
    } finally {
      rmSync(out, { recursive: true });
    }
  });
});

interface Answers {
  readonly responses: {
    readonly '200': { readonly content: { readonly 'application/json': { readonly schema: JsonObject } } };
  };
}
