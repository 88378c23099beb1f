// What deploy/ and `heddle new` hold for Kubernetes, applied to a real API server that refuses unknown fields.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments, parse } from 'yaml';
import { isMissing, obtain, type Running } from '../../../../scripts/engines/engine.ts';
import { etcd } from '../../../../scripts/engines/etcd.ts';
import { helm } from '../../../../scripts/engines/helm.ts';
import {
  kubeApiserver,
  type KubeCredentials,
  kubeCredentials,
  kubeServerName,
} from '../../../../scripts/engines/kube-apiserver.ts';
import { type Command, readArguments } from '../command.ts';
import { controlPlane } from '../commands/control-plane.ts';
import { gateway } from '../commands/gateway.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../..', import.meta.url));
const chart = path.join(root, 'deploy/helm/heddle');

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly template?: { readonly spec: PodSpec } };
}
interface PodSpec {
  readonly containers: readonly { readonly name: string; readonly image: string; readonly args?: string[] }[];
}

interface Probe {
  readonly httpGet?: { readonly scheme?: string };
}
interface ChartContainer {
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
}
interface Volume {
  readonly name: string;
  readonly secret?: object;
  readonly configMap?: { readonly name: string };
}
interface Parts {
  readonly plane: ChartContainer;
  readonly gateway: ChartContainer;
  readonly gatewayVolumes: readonly Volume[];
}

/** What the chart makes of the two programs. */
function partsOf(all: readonly Kind[]): Parts {
  const podOf = (kind: string): { containers: readonly ChartContainer[]; volumes: readonly Volume[] } => {
    const found = all.find((each) => each.kind === kind)?.spec?.template?.spec;
    return (found ?? assert.fail(kind)) as unknown as {
      containers: readonly ChartContainer[];
      volumes: readonly Volume[];
    };
  };
  const front = podOf('Deployment');
  return {
    plane: podOf('StatefulSet').containers[0] ?? assert.fail('it has no container'),
    gateway: front.containers[0] ?? assert.fail('it has no container'),
    gatewayVolumes: front.volumes,
  };
}

function volume(volumes: readonly Volume[]): Volume | undefined {
  return volumes.find(({ name }) => name === 'control-plane');
}

function tlsValues(folder: string): string {
  const file = path.join(folder, 'tls.yaml');
  writeFileSync(file, 'controlPlane: { tls: { enabled: true, secret: plane-tls } }\n');
  return file;
}

function objects(text: string): Kind[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Kind | null)
    .filter((object) => object !== null);
}

const read = (file: string): Kind[] => objects(readFileSync(path.join(root, file), 'utf8'));

/** Where an object goes: the plural as the API has it. */
function collection({ apiVersion, kind }: Kind, namespace: string): string {
  const plural = `${kind.toLowerCase().replace(/y$/, 'ie').replace(/ss$/, 'sse')}s`;
  return `${apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`}/namespaces/${namespace}/${plural}`;
}

interface Cluster {
  readonly running: readonly Running[];
  readonly post: (where: string, object: object) => Promise<string>;
}

async function cluster(folder: string): Promise<Cluster> {
  const data = await etcd.start({});
  const credentials = kubeCredentials(path.join(folder, 'credentials'));
  const server = await kubeApiserver.start({ etcd: data.address, credentials });
  return { running: [server, data], post: (where, object) => post(server, credentials, where, object) };
}

/** Gives `created`, or what the server says against it. */
function post(
  { address }: Running,
  { authority, adminToken }: KubeCredentials,
  where: string,
  object: object,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        ...address,
        path: where,
        method: 'POST',
        ca: authority.certificate,
        servername: kubeServerName,
        headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { message = '' } = JSON.parse(Buffer.concat(chunks).toString()) as { message?: string };
          resolve(response.statusCode === 201 ? 'created' : `${response.statusCode}: ${message}`);
        });
      },
    );
    asked.on('error', reject);
    asked.end(JSON.stringify(object));
  });
}

const sources: Readonly<Record<string, () => Promise<Kind[]>>> = {
  'deploy/kubernetes': async () =>
    readdirSync(path.join(root, 'deploy/kubernetes')).flatMap((file) => read(`deploy/kubernetes/${file}`)),
  'a service of heddle new': async () => read('examples/daily-greeting/kubernetes.yaml'),
};

// On a new machine the tools are built first.
const building = { timeout: 1_500_000 };

describe('what Kubernetes is given', { timeout: 1_800_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-manifests-'));
  let missing: string | undefined;
  let kube: Cluster | undefined;

  before(async () => {
    for (const tool of [etcd, kubeApiserver]) {
      const found = await obtain(tool);
      if (isMissing(found)) missing = found.missing;
    }
    if (missing === undefined) kube = await cluster(folder);
  }, building);
  after(async () => {
    for (const each of kube?.running ?? []) await each.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const applied = async (all: readonly Kind[], namespace: string): Promise<void> => {
    const { post } = kube as Cluster;
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    assert.equal(await post('/api/v1/namespaces', { metadata: { name: namespace, labels } }), 'created');
    for (const object of all) {
      const where = `${collection(object, namespace)}?fieldValidation=Strict`;
      assert.equal(await post(where, object), 'created', `${object.kind} ${object.metadata.name}`);
      const spec = object.spec?.template?.spec;
      if (spec === undefined) continue;
      // Nobody makes pods here, so the one that would be made is tried.
      const claims = [
        { name: 'data', emptyDir: {} },
        ...((spec as { volumes?: { name: string }[] }).volumes ?? []),
      ];
      const volumes = claims.filter(
        ({ name }, at) => claims.findLastIndex((each) => each.name === name) === at,
      );
      const pod = { metadata: { name: 'tried' }, spec: { ...spec, volumes } };
      assert.equal(
        await post(`/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod),
        'created',
        object.metadata.name,
      );
    }
  };

  for (const [name, take] of Object.entries(sources))
    test(`${name} is created, and its pods are admitted as restricted`, async (t) => {
      if (missing !== undefined) t.skip(missing);
      else await applied(await take(), name.replaceAll(/\W/g, '-'));
    });

  test('a field that does not exist is refused, and so is a pod that runs as root', async (t) => {
    if (missing !== undefined) return t.skip(missing);
    const { post } = kube as Cluster;
    const [account] = read('deploy/kubernetes/gateway.yaml');
    const where = '/api/v1/namespaces/default/serviceaccounts?fieldValidation=Strict';
    assert.match(await post(where, { ...account, automount: false }), /unknown field "automount"/);
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await post('/api/v1/namespaces', { metadata: { name: 'strict', labels } });
    const pod = {
      metadata: { name: 'root' },
      spec: { containers: [{ name: 'a', image: 'a' }], automountServiceAccountToken: false },
    };
    const made = await post('/api/v1/namespaces/strict/serviceaccounts', { metadata: { name: 'default' } });
    assert.match(made, /created|409/);
    assert.match(
      await post('/api/v1/namespaces/strict/pods?dryRun=All', pod),
      /violates PodSecurity "restricted/,
    );
  });

  test('the chart passes Helm’s linter, and what it renders is created', building, async (t) => {
    const found = await obtain(helm);
    if (isMissing(found)) return t.skip(found.missing);
    if (missing !== undefined) return t.skip(missing);
    await run(found.path, ['lint', chart]);
    const all = path.join(folder, 'values.yaml');
    const ingress = 'ingress: { className: nginx, host: shop.example, tlsSecret: shop }';
    writeFileSync(all, `gateway:\n  nodePort: { enabled: true }\n  ${ingress}\n`);
    for (const [namespace, ...values] of [['chart'], ['chart-all', all], ['chart-tls', tlsValues(folder)]]) {
      const { stdout } = await run(found.path, ['template', chart, ...values]);
      const rendered = objects(stdout);
      // The port of the node can be had once in a cluster.
      const port = all === values[0] ? stdout.replace('nodePort: 30080', 'nodePort: 30081') : stdout;
      await applied(objects(port), namespace ?? '');
      const kinds = new Set(rendered.map(({ kind }) => kind));
      assert.equal(kinds.has('Ingress') && kinds.has('HorizontalPodAutoscaler'), true);
    }
    const wrong = path.join(folder, 'wrong.yaml');
    writeFileSync(wrong, 'gateway:\n  replica: 3\n');
    await assert.rejects(run(found.path, ['template', chart, wrong]), /replica is not allowed/);
  });

  test(
    'the chart’s control plane speaks TLS by a secret or by its own authority, and gateways believe it',
    building,
    async (t) => {
      const found = await obtain(helm);
      if (isMissing(found)) return t.skip(found.missing);
      const rendered = async (tls: string): Promise<Parts> => {
        const file = path.join(folder, 'tls-values.yaml');
        writeFileSync(file, `controlPlane: { tls: ${tls} }\n`);
        return partsOf(objects((await run(found.path, ['template', chart, file])).stdout));
      };
      const plain = await rendered('{ enabled: false, secret: unused }');
      assert.ok(!JSON.stringify(plain).includes('tls'));
      assert.equal(plain.plane.startupProbe?.httpGet?.scheme, 'HTTP');
      const bySecret = await rendered('{ enabled: true, secret: plane-tls }');
      const own = await rendered('{ enabled: true, names: [plane.example.com] }');
      for (const { plane, gateway: front } of [bySecret, own]) {
        assert.deepEqual(
          [plane.startupProbe, plane.readinessProbe].map((probe) => probe?.httpGet?.scheme),
          ['HTTPS', 'HTTPS'],
        );
        const registry = readArguments(gateway, front.args?.slice(1) ?? []).text('registry') ?? '';
        assert.match(registry, /^https:\/\/.*-control-plane:8090$/);
        assert.equal(front.env?.find(({ name }) => name === 'HEDDLE_ROOTS')?.value, '/control-plane/ca.crt');
        assert.ok(front.volumeMounts?.some(({ mountPath }) => mountPath === '/control-plane'));
      }
      const given = readArguments(controlPlane, bySecret.plane.args?.slice(1) ?? []);
      assert.deepEqual(
        [given.text('tls-cert'), given.text('tls-key'), given.flag('tls')],
        ['/tls/tls.crt', '/tls/tls.key', false],
      );
      assert.ok(bySecret.plane.volumeMounts?.some(({ mountPath }) => mountPath === '/tls'));
      const items = [{ key: 'ca.crt', path: 'ca.crt' }];
      assert.deepEqual(volume(bySecret.gatewayVolumes)?.secret, { secretName: 'plane-tls', items });
      const made = readArguments(controlPlane, own.plane.args?.slice(1) ?? []);
      assert.equal(made.flag('tls'), true);
      assert.match(
        made.text('tls-name') ?? '',
        /-control-plane\..*\.svc\.cluster\.local,plane\.example\.com$/,
      );
      assert.match(volume(own.gatewayVolumes)?.configMap?.name ?? '', /-control-plane-roots$/);
      const roots = await rendered('{ enabled: true, secret: plane-tls, roots: believed }');
      assert.equal(volume(roots.gatewayVolumes)?.configMap?.name, 'believed');
      await assert.rejects(rendered('{ enabled: true, name: a }'), /name is not allowed/);
    },
  );

  test('the arguments in it are read by the commands that they are for', async () => {
    const commands: readonly Command[] = [controlPlane, gateway];
    const compose = parse(readFileSync(path.join(root, 'deploy/compose.yaml'), 'utf8')) as {
      services: Record<string, { image: string; command: string[] }>;
    };
    const told = [
      ...((await sources['deploy/kubernetes']?.()) ?? [])
        .flatMap(({ spec }) => spec?.template?.spec.containers ?? [])
        .map(({ args = [] }) => args),
      ...Object.values(compose.services)
        .filter(({ image }) => image.startsWith('heddle:'))
        .map(({ command }) => command),
    ];
    assert.equal(told.length, 4);
    for (const [name, ...args] of told) {
      const command = commands.find((each) => each.name === name) ?? assert.fail(name);
      assert.equal(readArguments(command, args).port('port', 0) >= 8080, true);
    }
  });
});
