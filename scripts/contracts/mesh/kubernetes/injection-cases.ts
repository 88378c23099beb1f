// The webhook as an API server calls it, and manifests as it takes them.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { defaultImages, defaultResources, injectTexts, sidecarName, statusName } from '@heddle/mesh/inject';
import { StartedCli } from '../../../../apps/heddle/src/node/started-cli.ts';
import { freePlace } from '../../../engines/running.ts';
import { type Cluster, eventually, type KubeObject, objectsIn } from './cluster.ts';
import type { KubernetesCase } from './kubernetes-case.ts';

const root = path.resolve(import.meta.dirname, '../../../..');

interface Pod extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly { readonly name: string; readonly readinessProbe?: unknown }[];
    readonly initContainers?: readonly { readonly name: string; readonly restartPolicy?: string }[];
    readonly hostNetwork?: boolean;
  };
}

/** The cases. */
export const injectionCases: readonly KubernetesCase[] = [
  {
    name: 'manifests of the webhook are taken as they are published',
    run: async (cluster) => {
      await cluster.namespace('heddle');
      for (const object of objectsIn(readFileSync(path.join(root, 'deploy/webhook/inject.yaml'), 'utf8'))) {
        // Without an authority in it this one would stand before every pod of the cases that follow.
        await cluster.create(object, { dryRun: object.kind === 'MutatingWebhookConfiguration' });
      }
    },
  },
  {
    name: 'heddle inject: every kind that makes pods is taken with its sidecar, and so are its pods',
    run: async (cluster) => {
      await cluster.namespace('manifests', { 'pod-security.kubernetes.io/enforce': 'restricted' });
      for (const proxy of ['heddle', 'envoy'] as const)
        for (const native of [true, false])
          for (const object of objectsIn(injected(proxy, native))) {
            await cluster.create(object, { dryRun: true });
            const pod = podOf(object);
            if (pod !== undefined) await cluster.create(pod, { dryRun: true });
          }
    },
  },
  {
    name: 'webhook: pods get sidecars where the namespace or they themselves ask, and nowhere else',
    run: (cluster) =>
      withWebhook(cluster, async () => {
        await cluster.namespace('asked', { 'istio-injection': 'enabled' });
        await cluster.namespace('silent');
        await cluster.namespace('refused', { 'istio-injection': 'disabled' });
        const rows: readonly (readonly [string, Partial<Pod['metadata']>, Partial<Pod['spec']>, boolean])[] =
          [
            ['asked', {}, {}, true],
            ['asked', labelled('false'), {}, false],
            ['asked', { annotations: { 'sidecar.istio.io/inject': 'false' } }, {}, false],
            ['asked', {}, { hostNetwork: true }, false],
            ['silent', {}, {}, false],
            ['silent', labelled('true'), {}, true],
            ['refused', labelled('true'), {}, false],
          ];
        for (const [at, [namespace, metadata, spec, wanted]] of rows.entries()) {
          const made = await make(cluster, { name: `web-${at}`, namespace, ...metadata }, spec);
          assert.equal(
            sidecars(made).length,
            wanted ? 1 : 0,
            `row ${at}: ${JSON.stringify(made.spec.initContainers)}`,
          );
        }
      }),
  },
  {
    name: 'webhook: what a pod got before is not added again, and its probes are led to the sidecar',
    run: (cluster) =>
      withWebhook(cluster, async () => {
        await cluster.namespace('again', { 'istio-injection': 'enabled' });
        const first = await make(cluster, { name: 'first', namespace: 'again' });
        assert.deepEqual(first.spec.containers[0]?.readinessProbe, {
          httpGet: { path: '/app-health/app/readyz', port: 15_021, scheme: 'HTTP' },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        });
        assert.deepEqual(
          first.spec.initContainers?.map(({ name, restartPolicy }) => [name, restartPolicy]),
          [[sidecarName, 'Always']],
        );
        const { annotations = {} } = first.metadata;
        await cluster.namespace('again-too', { 'istio-injection': 'enabled' });
        const metadata = { name: 'first', namespace: 'again-too', annotations };
        const second = await make(cluster, metadata, first.spec);
        assert.deepEqual(second.spec.initContainers, first.spec.initContainers);
        assert.equal(second.metadata.annotations?.[statusName], annotations[statusName]);
      }),
  },
  {
    name: 'webhook: a pod that asks for its sidecar wrongly is refused with the reason',
    run: (cluster) =>
      withWebhook(cluster, async () => {
        await cluster.namespace('wrong', { 'istio-injection': 'enabled' });
        const annotations = { 'sidecar.istio.io/proxyCPU': 'much' };
        await assert.rejects(
          make(cluster, { name: 'web', namespace: 'wrong', annotations }),
          /proxyCPU: expected a quantity such as 100m or 128Mi, found "much"/,
        );
      }),
  },
  {
    name: 'webhook: while none answers, no pod is made that would run without its sidecar',
    run: async (cluster) => {
      await cluster.namespace('alone', { 'istio-injection': 'enabled' });
      await withWebhook(cluster, async (stop) => {
        await make(cluster, { name: 'before', namespace: 'alone' });
        await stop();
        await assert.rejects(make(cluster, { name: 'after', namespace: 'alone' }), /failed calling webhook/);
      });
    },
  },
];

function labelled(value: string): Partial<Pod['metadata']> {
  return { labels: { 'sidecar.istio.io/inject': value } } as Partial<Pod['metadata']>;
}

function sidecars({ spec }: Pod): readonly object[] {
  return (spec.initContainers ?? []).filter(({ name }) => name === sidecarName);
}

async function make(
  cluster: Cluster,
  metadata: Pod['metadata'],
  spec: Partial<Pod['spec']> = {},
): Promise<Pod> {
  const containers = [
    {
      name: 'app',
      image: 'shop:1',
      ports: [{ name: 'http', containerPort: 8080 }],
      readinessProbe: { httpGet: { path: '/ready', port: 'http' } },
    },
  ];
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers, ...spec } };
  return (await cluster.create(pod)) as Pod;
}

/** Runs the real program before the server, with the published rules of who is asked about. */
async function withWebhook(
  cluster: Cluster,
  run: (stop: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-webhook-'));
  const { authority } = cluster.credentials;
  const { certificates, privateKey } = authority.issue({ addresses: ['127.0.0.1'] });
  writeFileSync(path.join(folder, 'tls.crt'), certificates);
  writeFileSync(path.join(folder, 'tls.key'), privateKey, { mode: 0o600 });
  const { port } = await freePlace();
  const files = ['--tls-cert', path.join(folder, 'tls.crt'), '--tls-key', path.join(folder, 'tls.key')];
  const cli = new StartedCli(['inject', '--webhook', '--port', String(port), ...files]);
  const stop = async (): Promise<void> => {
    cli.child.kill('SIGTERM');
    await cli.exited;
  };
  const [published] = objectsIn(readFileSync(path.join(root, 'deploy/webhook/inject.yaml'), 'utf8')).filter(
    ({ kind }) => kind === 'MutatingWebhookConfiguration',
  );
  assert.ok(published !== undefined);
  const clientConfig = {
    url: `https://127.0.0.1:${port}/inject`,
    caBundle: Buffer.from(authority.certificate).toString('base64'),
  };
  const webhooks = (published['webhooks'] as readonly object[]).map((each) => ({ ...each, clientConfig }));
  try {
    await cli.printed(/\bready\b/);
    await cluster.create({ ...published, webhooks });
    await isCalled(cluster);
    await run(stop);
  } finally {
    const path = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${published.metadata.name}`;
    await cluster.client.ask({ method: 'DELETE', path });
    await stop();
    rmSync(folder, { recursive: true });
  }
}

/** The server takes a moment to hear of what it is to ask. */
async function isCalled(cluster: Cluster): Promise<void> {
  const namespace = `called-${crypto.randomUUID().slice(0, 8)}`;
  await cluster.namespace(namespace, { 'istio-injection': 'enabled' });
  await eventually(async () => {
    const pod = { name: `asked-${crypto.randomUUID().slice(0, 8)}`, namespace };
    assert.equal(sidecars(await make(cluster, pod)).length, 1);
  });
}

/** Manifests of each kind, with their sidecars. */
function injected(proxy: 'heddle' | 'envoy', native: boolean): string {
  const { texts } = injectTexts([{ file: 'all.yaml', text: manifests }], {
    settings: {
      proxy,
      image: defaultImages[proxy],
      controlPlane: { host: 'heddle-control-plane.heddle', port: 8090 },
      tokenSecret: { name: 'heddle-mesh-{serviceAccount}', key: 'token' },
      dnsServer: '10.96.0.10',
      byDefault: true,
      native,
      resources: { cpuRequest: '100m', ...defaultResources },
    },
  });
  return texts[0]?.text ?? '';
}

const podTemplate = `metadata: { labels: { app: web }, annotations: { proxy.istio.io/config: '{ holdApplicationUntilProxyStarts: false }' } }
spec:
  securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: RuntimeDefault } }
  containers:
    - name: app
      image: shop:1
      ports: [{ name: http, containerPort: 8080 }]
      livenessProbe: { httpGet: { path: /, port: http } }
      startupProbe: { grpc: { port: 9000 } }
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
`;
const inside = (spaces: number): string => podTemplate.replaceAll(/^(?=.)/gm, ' '.repeat(spaces));
const selector = 'selector: { matchLabels: { app: web } }';
const workloads = [
  ['apps/v1', 'Deployment', selector],
  ['apps/v1', 'StatefulSet', `${selector}\n  serviceName: web`],
  ['apps/v1', 'DaemonSet', selector],
  ['apps/v1', 'ReplicaSet', selector],
  ['v1', 'ReplicationController', 'selector: { app: web }'],
] as const;
const head = (apiVersion: string, kind: string): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: web-${kind.toLowerCase()}, namespace: manifests }\n`;
const manifests = [
  ...workloads.map(
    ([apiVersion, kind, more]) => `${head(apiVersion, kind)}spec:\n  ${more}\n  template:\n${inside(4)}`,
  ),
  `${head('batch/v1', 'Job')}spec:\n  template:\n${inside(4)}      restartPolicy: Never\n`,
  `${head('batch/v1', 'CronJob')}spec:\n  schedule: "0 * * * *"\n  jobTemplate:\n    spec:\n      template:\n${inside(8)}          restartPolicy: Never\n`,
  `${head('v1', 'PodTemplate')}template:\n${inside(2)}`,
].join('---\n');

/** The pod that a workload would make, which nobody does here. */
function podOf(object: KubeObject): KubeObject | undefined {
  const { template } = (object['spec'] ?? {}) as { template?: { metadata: object; spec: object } };
  if (template === undefined) return undefined;
  const metadata = { ...template.metadata, name: 'tried', namespace: 'manifests' };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec };
}
