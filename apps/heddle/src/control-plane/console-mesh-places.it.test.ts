import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'yaml';
import { isMissing, obtain } from '../../../../scripts/engines/engine.ts';
import { etcd } from '../../../../scripts/engines/etcd.ts';
import { StartedCli } from '../node/started-cli.ts';

// Rules that are no files of the control plane's machine, as the console shows and changes them.
const token = 'a-token-for-this-test-alone';
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-mesh-places-'));
const limit = { timeout: 240_000 };
const started: StartedCli[] = [];

after(async () => {
  for (const { child, exited } of started) {
    child.kill('SIGTERM');
    await exited;
  }
  rmSync(folder, { recursive: true, force: true });
});

const rules = (weight: number): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: order, namespace: shop }
spec:
  hosts: [order.shop.example]
  http:
    - timeout: ${weight}s
      route: [{ destination: { host: order.shop.example } }]
`;

/** A control plane, asked as the platform's own programs ask it. Gives its URL, and its console's answers. */
async function plane(
  name: string,
  ...more: readonly string[]
): Promise<{ url: string; ask: (method: string, place: string, body?: object) => Promise<Answer> }> {
  const words = ['control-plane', '--port', '0', '--data', path.join(folder, name), ...more];
  const cli = new StartedCli(words, {
    HEDDLE_REGISTRY_TOKEN: token,
    HEDDLE_MESH_TOKEN: token,
    HEDDLE_MESH_KEYS: `one:${'ab'.repeat(32)}`,
  });
  started.push(cli);
  const [, url = ''] = await cli.printed(/"message":"ready"[^}]*"url":"([^"]+)"/);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const ask = async (method: string, place: string, body?: object): Promise<Answer> => {
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    return (await (await fetch(`${url}/api/console/${place}`, init)).json()) as Answer;
  };
  return { url, ask };
}

interface Answer {
  readonly [key: string]: unknown;
  readonly files?: readonly { readonly file: string; readonly text: string }[];
}

test(
  'rules in a repository are shown with where they come from and can be tried, and not published',
  limit,
  async () => {
    const repository = path.join(folder, 'repository');
    mkdirSync(repository);
    const git = (...args: readonly string[]): string =>
      execFileSync(
        'git',
        ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args],
        {
          encoding: 'utf8',
        },
      );
    git('init', '--quiet', '--initial-branch=main');
    writeFileSync(path.join(repository, 'order.yaml'), rules(1));
    git('add', '.');
    git('commit', '--quiet', '--message=rules');
    const { ask } = await plane('git', '--mesh', `git:${repository}`);
    const shown = await ask('GET', 'mesh');
    assert.equal(shown['kind'], 'git');
    assert.equal(shown['writable'], false);
    assert.equal((shown['source'] as { inForce: string }).inForce, git('rev-parse', 'HEAD').trim());
    assert.deepEqual(shown.files, [{ file: 'order.yaml', text: rules(1) }]);
    const change = { file: 'order.yaml', content: rules(2) };
    const plan = await ask('POST', 'mesh/plan', change);
    assert.equal(plan['ok'], true);
    assert.equal(plan['before'], rules(1));
    const { reason, message } = await ask('POST', 'mesh/publish', { ...change, expected: shown['digest'] });
    assert.equal(reason, 'RULES_ELSEWHERE');
    assert.match(String(message), /come from git:.*repository: change them there/);
    assert.equal((await ask('GET', 'rollouts'))['writable'], false);
  },
);

/** As much of an API server as is needed: the lists of all kinds, and watches in which nothing happens. */
async function apiServer(objects: readonly { readonly kind: string }[]): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (searchParams.has('watch')) return;
    const items = objects.filter(({ kind }) => pathname.endsWith(`/${kind.toLowerCase()}s`));
    response.end(JSON.stringify({ metadata: { resourceVersion: '7' }, items }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

test('rules of a cluster are shown as somebody would apply them, and can be tried, and not published', {
  ...limit,
}, async (t) => {
  const spec = { hosts: ['order.shop.example'], http: [{ route: [{ destination: { host: 'order' } }] }] };
  const written = { name: 'order', namespace: 'shop', annotations: { team: 'orders' } };
  const metadata = {
    ...written,
    annotations: { ...written.annotations, 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    uid: 'b3f0',
    resourceVersion: '7',
    generation: 3,
    managedFields: [{ manager: 'kubectl' }],
  };
  const kinds = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' };
  const server = await apiServer([{ ...kinds, metadata, spec, status: {} } as { kind: string }]);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const { ask } = await plane('cluster', '--mesh', `k8s://127.0.0.1:${port}`);
  const shown = await ask('GET', 'mesh');
  assert.deepEqual([shown['kind'], shown['writable']], ['kubernetes', false]);
  const file = 'networking.istio.io/v1/VirtualService/shop/order.yaml';
  const text = stringify({ ...kinds, metadata: written, spec });
  assert.deepEqual(shown.files, [{ file, text }]);
  const change = { file, content: text.replace('host: order', 'host: stock') };
  const plan = await ask('POST', 'mesh/plan', change);
  assert.equal(plan['ok'], true, JSON.stringify(plan));
  assert.equal(plan['before'], text);
  const refused = await ask('POST', 'mesh/publish', { ...change, expected: shown['digest'] });
  assert.equal(refused['reason'], 'RULES_ELSEWHERE');
});

const missing = await obtain(etcd);

test('rules in a store are changed and rolled back, and both are in the audit log', {
  ...limit,
  skip: isMissing(missing) ? missing.missing : false,
}, async (t) => {
  const centre = await etcd.start({});
  t.after(() => centre.stop());
  const { ask } = await plane('store', '--mesh', `etcd://${centre.address.host}:${centre.address.port}/mesh`);
  const first = await ask('GET', 'mesh');
  assert.equal(first['kind'], 'store');
  assert.equal(first['writable'], true);
  assert.deepEqual(first.files, []);
  const publish = (content: string, expected: unknown): Promise<Answer> =>
    ask('POST', 'mesh/publish', { file: 'order.yaml', content, expected, why: 'because' });
  const version = await publish(rules(1), first['digest']);
  assert.equal(typeof version['id'], 'number', JSON.stringify(version));
  assert.equal((await publish(rules(2), first['digest']))['reason'], 'VERSION_CONFLICT');
  const refused = await publish(rules(2).replace('timeout', 'timeuot'), (await ask('GET', 'mesh'))['digest']);
  assert.equal(refused['reason'], 'BAD_RULES');
  await publish(rules(2), (await ask('GET', 'mesh'))['digest']);
  assert.deepEqual((await ask('GET', 'mesh')).files, [{ file: 'order.yaml', text: rules(2) }]);
  await ask('POST', 'mesh/rollback', { to: version['id'], why: 'it was better' });
  assert.deepEqual((await ask('GET', 'mesh')).files, [{ file: 'order.yaml', text: rules(1) }]);
  const log = JSON.stringify(await ask('GET', 'audit'));
  assert.match(log, /mesh\/publish/);
  assert.match(log, /mesh\/rollback/);
});
