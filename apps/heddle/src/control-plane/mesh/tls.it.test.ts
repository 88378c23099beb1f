// `heddle control-plane --tls` as a process, and everybody who speaks with one: the command, a sidecar, the registry, Envoy.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openRegistry } from '@heddle/discovery/node';
import { nodeRuntime } from '@heddle/kernel/node';
import { parse } from 'yaml';
import { makeRequest } from '@heddle/security/identity';
import { becomes } from '../../../../../scripts/contracts/mesh/scenarios/waiting.ts';
import { isMissing, obtain, type Running } from '../../../../../scripts/engines/engine.ts';
import { envoy, startXdsEnvoy } from '../../../../../scripts/engines/envoy.ts';
import { freePort } from '../../../../../scripts/engines/running.ts';
import { StartedCli } from '../../node/started-cli.ts';

const token = 'a-token-for-this-test-alone';
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-tls-'));
const file = (name: string): string => path.join(folder, name);
const roots = file('data/mesh/roots.pem');
const env = { HEDDLE_REGISTRY_TOKEN: token, HEDDLE_ROOTS: roots };
const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const uri = 'spiffe://cluster.local/ns/shop/sa/cart';

/** Of Envoy's page of certificates, as far as it is asked about. */
interface Certs {
  readonly certificates?: readonly {
    readonly cert_chain?: readonly {
      readonly path: string;
      readonly subject_alt_names?: readonly { readonly uri?: string }[];
    }[];
  }[];
}

/** Of a pod with a sidecar, as far as it is asked about. */
interface InjectedPod {
  readonly spec: {
    readonly initContainers: readonly {
      readonly args?: readonly string[];
      readonly env?: readonly { readonly name: string; readonly value?: string }[];
      readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
    }[];
    readonly volumes: readonly { readonly name: string; readonly configMap?: object }[];
  };
}

let plane: StartedCli;
let place = '';

const rules = (port: number): string => `
apiVersion: v1
kind: Service
metadata: { name: cart, namespace: shop }
spec: { selector: { app: cart }, ports: [{ name: http, port: ${port} }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: cart, namespace: shop }
spec: { address: 127.0.0.9, labels: { app: cart }, serviceAccount: cart }
`;

/** What the control plane answers, verified by its roots. */
const ask = (at: string, body?: object, authorization = `Bearer ${token}`): Promise<[number, string]> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(place);
    const request = https.request(
      {
        hostname,
        port,
        path: at,
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization },
        ca: readFileSync(roots),
        agent: false,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve([response.statusCode ?? 0, text]));
      },
    );
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });

const tokenOf = async (spiffeId: string): Promise<string> => {
  const [, text] = await ask('/v1/mesh/tokens', { spiffeId });
  return (JSON.parse(text) as { readonly token: string }).token;
};

before(async () => {
  writeFileSync(file('mesh.yaml'), rules(await freePort()));
  const args = ['control-plane', '--port', '0', '--data', file('data'), '--mesh', file('mesh.yaml'), '--tls'];
  plane = new StartedCli(args, env);
  [, place = ''] = await plane.printed(/(https:\/\/127\.0\.0\.1:\d+)/);
});

after(async () => {
  plane.child.kill('SIGTERM');
  await plane.exited;
  rmSync(folder, { recursive: true, force: true });
});

describe('a control plane with TLS of its own', { timeout: 600_000 }, () => {
  test('takes no plaintext, and is believed by its roots alone', async () => {
    const plaintext = place.replace('https:', 'http:');
    await assert.rejects(fetch(`${plaintext}/v1/mesh/roots`));
    await assert.rejects(fetch(`${place}/v1/mesh/roots`), 'without its roots nobody believes it');
    const [status, text] = await ask('/v1/mesh/roots');
    assert.equal(status, 200);
    const { trust } = JSON.parse(text) as { readonly trust: string };
    assert.equal(trust.trim(), readFileSync(roots, 'utf8').trim());
  });

  test('is asked by the command, and says why it cannot be where its roots are not known', async () => {
    const listed = new StartedCli(['ls', 'proxies', '--plane', place], env);
    assert.equal(await listed.exited, 0, listed.output);
    const stranger = new StartedCli(['ls', 'proxies', '--plane', place], {
      HEDDLE_REGISTRY_TOKEN: token,
      HEDDLE_ROOTS: '',
    });
    assert.notEqual(await stranger.exited, 0);
    assert.match(stranger.output, /certificate/i);
  });

  test('is a registry by embedded+tls:// and by https://', async () => {
    const { host } = new URL(place);
    const url = `embedded+tls://${host}?ca-file=${encodeURIComponent(roots)}`;
    const registry = await openRegistry(url, { runtime, secret: token });
    try {
      await registry.register({ service: 'order', id: 'a', address: '127.0.0.1', port: 81 });
      const listed = new StartedCli(['ls', 'services', '--registry', place], env);
      assert.equal(await listed.exited, 0, listed.output);
      assert.match(listed.output, /order/);
    } finally {
      await registry.close();
    }
  });

  test('gives a sidecar its identity and its rules', async () => {
    const sidecar = new StartedCli(
      [
        'sidecar',
        '--control-plane',
        place,
        '--workload',
        'shop/cart',
        '--inbound',
        '127.0.0.9',
        '--dns',
        'off',
      ].concat(['--data', file('sidecar')]),
      { ...env, HEDDLE_MESH_TOKEN: await tokenOf(uri) },
    );
    try {
      const [, admin = ''] = await sidecar.printed(/admin\W+(127\.0\.0\.1:\d+)/);
      await becomes(
        async () => (await fetch(`http://${admin}/ready`)).status,
        (status) => status === 200,
      );
      const [, text] = await ask('/v1/mesh');
      const { planes } = JSON.parse(text) as { readonly planes: readonly { readonly workload: string }[] };
      assert.deepEqual(
        planes.map(({ workload }) => workload),
        ['shop/cart'],
      );
    } finally {
      sidecar.child.kill('SIGTERM');
      await sidecar.exited;
    }
  });

  test('is reached by a sidecar as heddle inject --control-plane-roots writes it', async () => {
    const pod =
      'apiVersion: v1\nkind: Pod\nmetadata: { name: cart, namespace: shop }\nspec: { containers: [{ name: app, image: a }] }\n';
    writeFileSync(file('pod.yaml'), pod);
    const { host } = new URL(place);
    const own = ['--control-plane', host, '--control-plane-roots', 'mesh-roots/ca.pem'];
    const inject = new StartedCli(['inject', '--write', ...own, file('pod.yaml')]);
    assert.equal(await inject.exited, 0, inject.output);
    const { initContainers, volumes } = (parse(readFileSync(file('pod.yaml'), 'utf8')) as InjectedPod).spec;
    const { args = [], env: variables = [], volumeMounts = [] } = initContainers[0] ?? {};
    const mount = volumeMounts.find(({ name }) => name === 'heddle-sidecar-roots');
    const { value: believed = '' } = variables.find(({ name }) => name === 'HEDDLE_ROOTS') ?? {};
    assert.equal(path.posix.dirname(believed), mount?.mountPath);
    assert.deepEqual(volumes.find(({ name }) => name === mount?.name)?.configMap, {
      name: 'mesh-roots',
      items: [{ key: 'ca.pem', path: path.posix.basename(believed) }],
    });
    // As the kubelet would start it, with this machine's places in place of the pod's.
    const places = new Map([
      ['$(POD_NAMESPACE)/cart', 'shop/cart'],
      ['$(POD_IP)', '127.0.0.9'],
      ['0.0.0.0:15021', `127.0.0.1:${await freePort()}`],
      ['/data', file('injected')],
    ]);
    const sidecar = new StartedCli(
      args.map((each) => places.get(each) ?? each),
      { HEDDLE_ROOTS: roots, HEDDLE_MESH_TOKEN: await tokenOf(uri) },
    );
    try {
      await sidecar.printed(/"rules":"control plane"/);
    } finally {
      sidecar.child.kill('SIGTERM');
      await sidecar.exited;
    }
  });

  test('gives Envoy the certificate of the workload that it has proved to be, by token or by certificate', async (t) => {
    const found = await obtain(envoy);
    if (isMissing(found)) return t.skip(found.missing);
    const { hostname: host, port } = new URL(place);
    const { request, privateKey } = makeRequest();
    const [, answer] = await ask('/v1/mesh/certificates', { request }, `Bearer ${await tokenOf(uri)}`);
    const certificate = { certificates: file('cart.pem'), privateKey: file('cart.key') };
    writeFileSync(
      certificate.certificates,
      (JSON.parse(answer) as { readonly certificates: string }).certificates,
    );
    writeFileSync(certificate.privateKey, privateKey);
    const node = (name: string): object => ({ id: name, cluster: 'shop' });
    const controlPlane = { host, port: Number(port) };
    /** What it has been given, beside what its own files say. */
    const givenTo = async ({ address }: Running): Promise<readonly string[]> => {
      const response = await fetch(`http://${address.host}:${address.port}/certs`);
      const { certificates = [] } = (await response.json()) as Certs;
      return certificates
        .flatMap(({ cert_chain = [] }) => cert_chain)
        .filter(({ path: from }) => from === '<inline>')
        .flatMap(({ subject_alt_names = [] }) => subject_alt_names.map((each) => each.uri ?? ''));
    };
    const byCertificate = await startXdsEnvoy({
      controlPlane,
      node: node('cart'),
      tls: { roots, certificate },
    });
    const byToken = await startXdsEnvoy({
      controlPlane,
      node: node('cart'),
      tls: { roots },
      token: await tokenOf(uri),
    });
    const unproven = await startXdsEnvoy({ controlPlane, node: node('cart'), tls: { roots } });
    const all = [byCertificate, byToken, unproven];
    try {
      for (const each of [byCertificate, byToken])
        await becomes(
          () => givenTo(each),
          (names) => names.includes(uri),
        );
      await becomes(
        async () => (await fetch(`http://${unproven.address.host}:${unproven.address.port}/clusters`)).text(),
        (text) => text.includes('cart.shop'),
      );
      assert.deepEqual(await givenTo(unproven), []);
    } finally {
      for (const each of all) await each.stop();
    }
  });
});
