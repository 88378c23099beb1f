// `heddle control-plane --mesh k8s:` at a real API server with Istio's own definitions, and a stock Envoy that follows.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { nodeRuntime } from '@heddle/kernel/node';
import { ControlPlaneClient } from '@heddle/mesh/plane';
import { KeptIdentity } from '@heddle/security/identity';
import {
  type Cluster,
  definitions,
  type KubeObject,
  objectsIn,
  startCluster,
} from '../../../../../scripts/contracts/mesh/kubernetes/cluster.ts';
import { type Backend, startBackend } from '../../../../../scripts/contracts/mesh/scenarios/http-backend.ts';
import { answers, becomes } from '../../../../../scripts/contracts/mesh/scenarios/waiting.ts';
import { isMissing, obtain, type Running } from '../../../../../scripts/engines/engine.ts';
import { envoy, startXdsEnvoy } from '../../../../../scripts/engines/envoy.ts';
import { etcd } from '../../../../../scripts/engines/etcd.ts';
import { kubeApiserver } from '../../../../../scripts/engines/kube-apiserver.ts';
import { freePort } from '../../../../../scripts/engines/running.ts';
import { StartedCli } from '../../node/started-cli.ts';

const token = 'a-token-for-this-test-alone';
const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const access = fileURLToPath(new URL('../../../../../deploy/mesh/access.yaml', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-mesh-kube-'));
const found = [await obtain(envoy), await obtain(etcd), await obtain(kubeApiserver)];
const missing =
  found.find(isMissing)?.missing ??
  (existsSync(definitions) ? undefined : 'Istio’s definitions are not here');

let cluster: Cluster;
let cli: StartedCli;
let url = '';
let proxy: Running;
let backends: readonly Backend[] = [];
let port = 0;

const service = (name: string, targetPort: number): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop' },
  spec: { selector: { app: name }, ports: [{ name: 'http', port, targetPort }] },
});

const route = (share: number): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'order', namespace: 'shop' },
  spec: {
    hosts: ['order'],
    http: [
      {
        route: [
          { destination: { host: 'order' }, weight: share },
          { destination: { host: 'stock' }, weight: 0 },
        ],
      },
    ],
  },
});

async function pod(name: string, app: string, serviceAccountName?: string): Promise<void> {
  await cluster.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: { app } } as KubeObject['metadata'],
    spec: {
      containers: [{ name: 'app', image: 'app' }],
      ...(serviceAccountName !== undefined && { serviceAccountName }),
    },
  });
  await cluster.client.ask({
    method: 'PATCH',
    path: `/api/v1/namespaces/shop/pods/${name}/status`,
    query: { fieldManager: 'kubelet', force: 'true' },
    json: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'shop' },
      status: {
        phase: 'Running',
        podIP: '127.0.0.1',
        podIPs: [{ ip: '127.0.0.1' }],
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    },
  });
}

const account = (namespace: string, name: string): Promise<unknown> =>
  cluster.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });

/** A token of a service account, for those who expect that audience; without one for the API server. */
async function tokenOf(namespace: string, name: string, audience?: string): Promise<string> {
  const spec = audience === undefined ? {} : { audiences: [audience] };
  const { status } = (await cluster.client.ask({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    json: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec },
  })) as { readonly status: { readonly token: string } };
  return status.token;
}

before(async () => {
  if (missing !== undefined) return;
  port = await freePort();
  backends = [await startBackend('order'), await startBackend('stock')];
  cluster = await startCluster();
  await cluster.namespace('shop');
  await cluster.create(service('order', backends[0]?.port ?? 0));
  await cluster.create(service('stock', backends[1]?.port ?? 0));
  await cluster.create(route(100));
  await pod('order-1', 'order');
  const ca = path.join(folder, 'ca.crt');
  writeFileSync(ca, cluster.credentials.authority.certificate);
  await cluster.namespace('heddle');
  await account('heddle', 'heddle-control-plane');
  // It may do what its manifest allows, and no more.
  for (const object of objectsIn(readFileSync(access, 'utf8'))) await cluster.create(object);
  const own = await tokenOf('heddle', 'heddle-control-plane');
  const { host, port: at } = cluster.address;
  const mesh = `k8s+tls://${host}:${at}/?ca-file=${ca}&server-name=kubernetes`;
  cli = new StartedCli(
    ['control-plane', '--port', '0', '--data', path.join(folder, 'data'), '--mesh', mesh],
    { HEDDLE_REGISTRY_TOKEN: token, HEDDLE_MESH_TOKEN: own },
  );
  [, url = ''] = await cli.printed(/(http:\/\/127\.0\.0\.1:\d+)/);
  const place = new URL(url);
  proxy = await startXdsEnvoy({
    controlPlane: { host: place.hostname, port: Number(place.port) },
    node: { id: 'client.shop', cluster: 'shop' },
  });
});

after(async () => {
  if (missing !== undefined) return;
  await proxy?.stop();
  cli?.child.kill('SIGTERM');
  await cli?.exited;
  await cluster?.stop();
  for (const backend of backends) await backend.stop();
  rmSync(folder, { recursive: true, force: true });
});

function ask(host: string): Promise<string> {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, headers: { host }, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(response.statusCode === 200 ? text : `${response.statusCode}`));
    });
    request.on('error', (error) => resolve(error.message));
  });
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

async function verdict(): Promise<Condition | undefined> {
  const { status } = await cluster.get(route(0));
  const { conditions = [] } = (status ?? {}) as { readonly conditions?: readonly Condition[] };
  return conditions.find(({ type }) => type === 'heddle.dev/Accepted');
}

async function change(object: KubeObject): Promise<void> {
  await cluster.client.ask({
    method: 'PATCH',
    path: `/apis/networking.istio.io/v1/namespaces/shop/virtualservices/${object.metadata.name}`,
    query: { fieldManager: 'test', force: 'true' },
    json: object,
  });
}

describe('rules and pods of a cluster', { skip: missing }, () => {
  test('are served: pods are endpoints, and an object is told that it was taken', async () => {
    await answers(() => ask('order.shop'), 'order');
    const taken = await becomes(verdict, (each) => each !== undefined);
    assert.deepEqual([taken?.status, taken?.reason], ['True', 'Accepted']);
    // One whose readiness fails gets no calls; one that comes does.
    assert.match(await ask('stock.shop'), /^503$/);
    await pod('stock-1', 'stock');
    await answers(() => ask('stock.shop'), 'stock');
  });

  test('certify workloads by the tokens of their service accounts, made for the mesh and nobody else', async () => {
    await account('shop', 'order');
    const clientOf = (shown: string): ControlPlaneClient => {
      const { hostname: host, port: at } = new URL(url);
      const addresses = [{ host, port: Number(at) }];
      return new ControlPlaneClient({ runtime, addresses, token: () => shown, held: () => undefined });
    };
    const good = clientOf(await tokenOf('shop', 'order', 'heddle-mesh'));
    const identity = new KeptIdentity(runtime, good.certificate);
    await identity.start();
    const { subjectAltName } = new X509Certificate(identity.held.svid.certificates);
    assert.equal(subjectAltName, 'URI:spiffe://cluster.local/ns/shop/sa/order');
    identity.close();
    for (const bad of [await tokenOf('shop', 'order'), 'eyJhbGciOiJub25lIn0.e30.'])
      await assert.rejects(clientOf(bad).certificate('a request'), { reason: 'BAD_TOKEN' });
    good.close();
  });

  test('give an Envoy its certificate by the token of its service account, and by no other', async () => {
    await account('shop', 'cart');
    await account('shop', 'report');
    // What its pod serves is what it needs a certificate for.
    await cluster.create(service('cart', await freePort()));
    await pod('cart-1', 'cart', 'cart');
    const place = new URL(url);
    const started = async (shown: string): Promise<Running> =>
      startXdsEnvoy({
        controlPlane: { host: place.hostname, port: Number(place.port) },
        node: { id: 'cart-1', cluster: 'shop', metadata: { NAME: 'cart-1', NAMESPACE: 'shop' } },
        token: shown,
      });
    const at = ({ address }: Running, page: string): Promise<string> =>
      fetch(`http://${address.host}:${address.port}/${page}`).then((response) => response.text());
    const own = await started(await tokenOf('shop', 'cart', 'heddle-mesh'));
    const others = [
      await started(await tokenOf('shop', 'report', 'heddle-mesh')),
      await started(await tokenOf('shop', 'cart')),
    ];
    try {
      await becomes(
        () => at(own, 'certs'),
        (text) => text.includes('spiffe://cluster.local/ns/shop/sa/cart'),
      );
      for (const other of others) {
        await becomes(
          () => at(other, 'clusters'),
          (text) => text.includes('order.shop'),
        );
        assert.ok(!(await at(other, 'certs')).includes('spiffe://'));
      }
    } finally {
      for (const each of [own, ...others]) await each.stop();
    }
  });

  test('one object that is wrong is refused alone, is told why, and its last good one stays', async () => {
    await change(route(0));
    const refused = await becomes(verdict, (each) => each?.status === 'False');
    assert.equal(refused?.reason, 'Invalid');
    assert.match(refused?.message ?? '', /WEIGHTS_ALL_ZERO/);
    assert.equal(await ask('order.shop'), 'order');
    await change(route(50));
    await becomes(verdict, (each) => each?.status === 'True');
    assert.equal(await ask('order.shop'), 'order');
  });

  test('are on the console as the cluster has them; a change is tried there, and made in the cluster', async () => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const asked = async (path: string, body?: object): Promise<Readonly<Record<string, unknown>>> => {
      const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) };
      return (await (await fetch(`${url}/api/console/${path}`, init)).json()) as Record<string, unknown>;
    };
    interface Shown {
      readonly file: string;
      readonly text: string;
    }
    const shownIn = ({ files }: Readonly<Record<string, unknown>>): Shown | undefined =>
      (files as readonly Shown[]).find(({ text }) =>
        /^kind: VirtualService$[^]*^ {2}name: order$/m.test(text),
      );
    await change(route(70));
    const shown = await becomes(
      () => asked('mesh'),
      (answer) => /weight: 70/.test(shownIn(answer)?.text ?? ''),
    );
    assert.deepEqual([shown['kind'], shown['writable']], ['kubernetes', false]);
    const { file, text } = shownIn(shown) ?? { file: '', text: '' };
    const edit = { file, content: text.replace('weight: 70', 'weight: 60') };
    assert.equal((await asked('mesh/plan', edit))['ok'], true);
    const refused = await asked('mesh/publish', { ...edit, expected: shown['digest'] });
    assert.equal(refused['reason'], 'RULES_ELSEWHERE');
  });
});
