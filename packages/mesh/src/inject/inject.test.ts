import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { parseAllDocuments } from 'yaml';
import { defaultImages, defaultResources, injectTexts, type InjectSettings, statusName } from './index.ts';

const settings: InjectSettings = {
  proxy: 'heddle',
  image: defaultImages.heddle,
  controlPlane: { host: 'heddle-control-plane.heddle', port: 8090 },
  tokenSecret: { name: 'heddle-mesh-{serviceAccount}', key: 'token' },
  dnsServer: undefined,
  byDefault: true,
  native: true,
  resources: defaultResources,
};

function inject(
  text: string,
  changes: Partial<InjectSettings> = {},
): ReturnType<typeof injectTexts> & { text: string } {
  const told = injectTexts([{ file: 'web.yaml', text }], { settings: { ...settings, ...changes } });
  return { ...told, text: told.texts[0]?.text ?? '' };
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly { readonly name: string }[];
  readonly securityContext?: { readonly sysctls?: readonly object[] };
}
interface Container {
  readonly name: string;
  readonly image?: string;
  readonly restartPolicy?: string;
  readonly resources?: object;
  readonly readinessProbe?: object;
  readonly livenessProbe?: object;
  readonly startupProbe?: object;
  readonly lifecycle?: object;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly args?: readonly string[];
}

interface Template {
  readonly metadata: { readonly labels: object; readonly annotations: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

/** The pods of a text, in its order; Deployments and Pods alone. */
function podsIn(text: string): readonly Template[] {
  return parseAllDocuments(text, { merge: true }).flatMap((document) => {
    const object = document.toJS() as {
      spec: { template?: Template };
      items?: { spec: { template: Template } }[];
    };
    if (object.items !== undefined) return object.items.map(({ spec }) => spec.template);
    return object.spec?.template === undefined ? [object as unknown as Template] : [object.spec.template];
  });
}

function specOf(text: string): PodSpec {
  return podsIn(text)[0]?.spec ?? assert.fail('there is no pod');
}

const pod = (metadata: string, spec = 'containers: [{ name: app, image: shop:1 }]'): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: web, ${metadata} }\nspec: { ${spec} }\n`;
const annotated = (name: string, value: string): string => pod(`annotations: { ${name}: '${value}' }`);

const deployment = `# The shop's front.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # known to the gateway
  labels: &labels { app: web }
spec:
  selector: { matchLabels: *labels }
  template:
    metadata:
      labels: *labels
    spec:
      containers:
      # Ours.
      - name: app
        image: shop:1
        ports: [{ name: http, containerPort: 8080 }]
        readinessProbe: { httpGet: { path: /ready, port: http }, periodSeconds: 5 }
`;
const other = `apiVersion: v1
kind: ConfigMap
metadata:   { name: web }
data: {a:   "1"}
`;

describe('a manifest', () => {
  test('gets a sidecar that starts before the application; comments and other documents stay as they are', () => {
    const { text, injected, notes } = inject(`${other}---\n${deployment}---\n${other}`);
    assert.equal(injected, 1);
    assert.deepEqual(notes, []);
    assert.ok(text.startsWith(`${other}---\n# The shop's front.\n`), text);
    assert.ok(text.endsWith(`---\n${other}`));
    assert.match(text, /name: web # known to the gateway/);
    assert.match(text, / {6}# Ours\.\n {6}- name: app/);
    const [, made] = podsIn(text);
    const [sidecar] = made?.spec.initContainers ?? [];
    assert.equal(sidecar?.name, 'heddle-sidecar');
    assert.equal(sidecar.restartPolicy, 'Always');
    assert.deepEqual(sidecar.startupProbe, {
      httpGet: { path: '/healthz/ready', port: 15_021 },
      periodSeconds: 1,
      failureThreshold: 600,
    });
    assert.deepEqual(
      made?.spec.containers.map(({ name }) => name),
      ['app'],
    );
  });

  test('keeps what an alias shares as it was for the others', () => {
    const [document] = parseAllDocuments(inject(deployment).text);
    const object = document?.toJS() as {
      metadata: { labels: object };
      spec: { selector: object; template: Template };
    };
    assert.deepEqual(object.metadata.labels, { app: 'web' });
    assert.deepEqual(object.spec.selector, { matchLabels: { app: 'web' } });
    assert.deepEqual(object.spec.template.metadata.labels, {
      app: 'web',
      'security.istio.io/tlsMode': 'istio',
    });
  });

  test('may have its containers from a merge key', () => {
    const text = `x: &pod\n  containers:\n  - { name: app, image: a }\napiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec:\n  <<: *pod\n`;
    const { spec } = podsIn(inject(text, { native: false }).text)[0] ?? assert.fail();
    assert.deepEqual(
      spec.containers.map(({ name }) => name),
      ['heddle-sidecar', 'app'],
    );
  });

  test('injected again is the same to the byte, and with other settings as if with those alone', () => {
    const once = inject(deployment).text;
    const again = inject(once);
    assert.equal(again.text, once);
    assert.equal(again.kept, 1);
    const newer = inject(once, { image: 'heddle:0.2.0' });
    assert.deepEqual(podsIn(newer.text), podsIn(inject(deployment, { image: 'heddle:0.2.0' }).text));
    const beside = inject(inject(once, { proxy: 'envoy', image: 'envoy:1' }).text, { native: false });
    assert.deepEqual(podsIn(beside.text), podsIn(inject(deployment, { native: false }).text));
  });

  test('that refuses its sidecar now is as it was before it had one', () => {
    const refused = deployment.replace(
      'labels: *labels',
      "labels: { app: web, sidecar.istio.io/inject: 'false' }",
    );
    const once = inject(deployment).text;
    const before = once.replace(
      'app: web, security.istio.io/tlsMode',
      "app: web, sidecar.istio.io/inject: 'false', security.istio.io/tlsMode",
    );
    assert.notEqual(before, once);
    assert.deepEqual(podsIn(inject(before).text), podsIn(refused));
  });

  test('may be a List, JSON, or any kind that makes pods', () => {
    const item = {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'a' },
      spec: { template: { spec: { containers: [] } } },
    };
    const list = inject(
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [item, { kind: 'ConfigMap' }, item] }),
    );
    assert.equal(list.injected, 2);
    const { items } = JSON.parse(list.text) as { items: { spec: { template: Template } }[] };
    assert.equal(items[2]?.spec.template.spec.initContainers?.[0]?.name, 'heddle-sidecar');
    const cron =
      'apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec: {jobTemplate: {spec: {template: {spec: {containers: []}}}}}\n';
    assert.equal(inject(cron).injected, 1);
    for (const [apiVersion, kind] of [
      ['apps/v1', 'StatefulSet'],
      ['apps/v1', 'ReplicaSet'],
      ['v1', 'ReplicationController'],
      ['batch/v1', 'Job'],
      ['argoproj.io/v1alpha1', 'Rollout'],
    ] as const)
      assert.equal(inject(JSON.stringify({ ...item, apiVersion, kind })).injected, 1, kind);
  });

  test('that is no YAML is told with its line, with all other mistakes', () => {
    const bad = annotated('sidecar.istio.io/proxyCPU', 'much');
    assert.throws(
      () => inject(`${other}---\nkind: [\n---\n${bad}`),
      (error) => {
        assert.ok(error instanceof HeddleError && error.is('invalid_argument', 'BAD_MANIFEST'));
        assert.match(error.message, /^web\.yaml:7: /);
        assert.match(
          error.message,
          /pod default\/web: sidecar\.istio\.io\/proxyCPU: expected a quantity .*found "much"/,
        );
        return true;
      },
    );
  });
});

describe('who gets a sidecar', () => {
  const namespace = (label: string): string =>
    `apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { istio-injection: ${label} } }\n---\n`;
  const rows: readonly (readonly [string, string, boolean, RegExp | undefined])[] = [
    ['who says nothing, by default', pod('namespace: shop'), true, undefined],
    ['nobody by default who says nothing', pod('namespace: shop'), false, /neither it nor its namespace/],
    ['a labelled pod', pod("labels: { sidecar.istio.io/inject: 'true' }"), false, undefined],
    ['a labelled namespace', namespace('enabled') + pod('namespace: shop'), false, undefined],
    [
      'not a namespace that refuses',
      namespace('disabled') + pod("namespace: shop, labels: { sidecar.istio.io/inject: 'true' }"),
      true,
      /no pod can overrule/,
    ],
    ['not a pod that refuses', annotated('sidecar.istio.io/inject', 'false'), true, /inject: "false"/],
    [
      'the label before the annotation',
      pod("labels: { sidecar.istio.io/inject: 'false' }, annotations: { sidecar.istio.io/inject: 'true' }"),
      true,
      /inject: "false"/,
    ],
    [
      'not on the network of the node',
      pod('namespace: shop', 'hostNetwork: true, containers: []'),
      true,
      /hostNetwork/,
    ],
    ['not in Kubernetes’ own namespaces', pod('namespace: kube-system'), true, /Kubernetes’ own/],
    [
      'not beside Istio’s',
      pod('namespace: shop', 'containers: [{ name: istio-proxy }]'),
      true,
      /Istio’s own/,
    ],
    [
      'not over a container of the name',
      pod('namespace: shop', 'containers: [{ name: heddle-sidecar }]'),
      true,
      /that was not injected/,
    ],
  ];
  for (const [name, text, byDefault, why] of rows)
    test(name, () => {
      const { injected, notes, text: made } = inject(text, { byDefault });
      assert.equal(injected, why === undefined ? 1 : 0);
      if (why === undefined) return;
      assert.match(notes.join(), why);
      assert.equal(made, text);
    });
});

describe('what annotations ask for', () => {
  test('resources: whoever says one says all', () => {
    const [sidecar] =
      specOf(inject(annotated('sidecar.istio.io/proxyCPULimit', '2')).text).initContainers ?? [];
    assert.deepEqual(sidecar?.resources, { limits: { cpu: '2' } });
  });

  test('another image, no native sidecar, and no waiting', () => {
    const spec = specOf(
      inject(
        pod(
          "annotations: { sidecar.istio.io/proxyImage: own:1, sidecar.istio.io/nativeSidecar: 'false', proxy.istio.io/config: '{holdApplicationUntilProxyStarts: false}' }",
        ),
      ).text,
    );
    const [sidecar, app] = spec.containers;
    assert.equal(spec.initContainers, undefined);
    assert.equal(sidecar?.image, 'own:1');
    assert.equal(sidecar.lifecycle, undefined);
    assert.equal(sidecar.restartPolicy, undefined);
    assert.equal(app?.name, 'app');
  });

  test('beside the application it holds that back by a hook', () => {
    const [sidecar] = specOf(inject(annotated('sidecar.istio.io/nativeSidecar', 'false')).text).containers;
    assert.match(JSON.stringify(sidecar?.lifecycle), /postStart.*15021/);
    assert.throws(
      () => inject(annotated('sidecar.istio.io/nativeSidecar', 'false'), { proxy: 'envoy' }),
      /expected nativeSidecar "true"/,
    );
  });

  test('volumes, and variables that Kubernetes is not to expand', () => {
    const spec = specOf(
      inject(
        pod(
          `annotations: { sidecar.istio.io/userVolume: '{"more":{"emptyDir":{}}}', proxy.istio.io/config: '{proxyMetadata: {A: "$(B)"}}' }`,
        ),
      ).text,
    );
    assert.deepEqual(
      spec.volumes?.map(({ name }) => name),
      ['heddle-sidecar-data', 'more'],
    );
    assert.deepEqual(
      spec.initContainers?.[0]?.env?.find(({ name }) => name === 'A'),
      { name: 'A', value: '$$(B)' },
    );
  });

  test('what has no effect is told', () => {
    const { notes } = inject(
      pod(
        "annotations: { traffic.sidecar.istio.io/includeOutboundIPRanges: '*', sidecar.istio.io/discovery: x, proxy.istio.io/config: '{tracing: {}}' }",
      ),
    );
    assert.match(
      notes.join('\n'),
      /includeOutboundIPRanges has no effect here: it is about redirected packets/,
    );
    assert.match(notes.join('\n'), /sidecar\.istio\.io\/discovery has no effect here: it is not known/);
    assert.match(notes.join('\n'), /proxy\.istio\.io\/config: tracing has no effect here/);
  });

  test('nothing that is wrong is guessed at', () => {
    for (const [name, value, expected] of [
      ['sidecar.istio.io/rewriteAppHTTPProbers', 'maybe', /expected "true" or "false", found "maybe"/],
      ['sidecar.istio.io/logLevel', 'loud', /expected one of trace/],
      ['sidecar.istio.io/userVolume', '[]', /expected an object in JSON/],
      ['proxy.istio.io/config', '{terminationDrainDuration: soon}', /expected a duration/],
    ] as const)
      assert.throws(() => inject(annotated(name, value)), expected);
  });
});

describe('probes', () => {
  const probed = (more = ''): string =>
    pod(
      `namespace: shop${more}`,
      'containers: [{ name: app, ports: [{ name: http, containerPort: 8080 }], livenessProbe: { tcpSocket: { port: http } }, readinessProbe: { httpGet: { path: /r, port: http }, timeoutSeconds: 3 }, startupProbe: { exec: { command: [a] } } }]',
    );

  test('by network are led to the sidecar, which is told what to ask', () => {
    const spec = specOf(inject(probed()).text);
    const [app] = spec.containers;
    assert.deepEqual(app?.livenessProbe, { httpGet: { path: '/app-health/app/livez', port: 15_021 } });
    assert.deepEqual(app.readinessProbe, {
      timeoutSeconds: 3,
      httpGet: { path: '/app-health/app/readyz', port: 15_021 },
    });
    assert.deepEqual(app.startupProbe, { exec: { command: ['a'] } });
    const told = spec.initContainers?.[0]?.env?.find(({ name }) => name === 'HEDDLE_APP_PROBES')?.value;
    assert.deepEqual(JSON.parse(told ?? ''), {
      '/app-health/app/livez': { tcpSocket: { port: 8080 }, timeoutSeconds: 1 },
      '/app-health/app/readyz': { httpGet: { path: '/r', port: 8080 }, timeoutSeconds: 3 },
    });
  });

  test('stay where they are when that is asked for, or their port is not declared', () => {
    const { spec } =
      podsIn(inject(probed(", annotations: { sidecar.istio.io/rewriteAppHTTPProbers: 'false' }")).text)[0] ??
      assert.fail();
    assert.deepEqual(spec.containers, podsIn(probed())[0]?.spec.containers);
    const { notes } = inject(probed().replaceAll('port: http', 'port: other'));
    assert.match(notes.join(), /livenessProbe is not led through the sidecar: its port is not declared/);
  });

  test('of Envoy are those by HTTP', () => {
    const { text, notes } = inject(probed(), { proxy: 'envoy', image: defaultImages.envoy });
    assert.match(notes.join(), /a probe by tcpSocket cannot be/);
    const args = specOf(text).initContainers?.[0]?.args ?? [];
    const bootstrap = args[args.indexOf('--config-yaml') + 1] ?? '';
    assert.match(
      bootstrap,
      /"match":\{"path":"\/app-health\/app\/readyz"\},"route":\{"cluster":"application-8080"/,
    );
  });
});

describe('names', () => {
  test('are asked of the sidecar, which asks the cluster’s own DNS; a pod that is refused later asks as before', () => {
    const given = pod('namespace: shop', 'dnsPolicy: ClusterFirst, containers: [{ name: app, image: a }]');
    const { text } = inject(given, { dnsServer: '10.96.0.10' });
    const spec = specOf(text) as PodSpec & { readonly dnsPolicy?: string; readonly dnsConfig?: object };
    assert.equal(spec.dnsPolicy, 'None');
    assert.deepEqual(spec.dnsConfig, {
      nameservers: ['127.0.0.1'],
      searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
      options: [{ name: 'ndots', value: '5' }],
    });
    assert.match(
      spec.initContainers?.[0]?.args?.join(' ') ?? '',
      /--dns 127\.0\.0\.1:53 --dns-upstream 10\.96\.0\.10:53/,
    );
    assert.equal(inject(text, { dnsServer: '10.96.0.10' }).kept, 1);
    const without = specOf(inject(text).text) as PodSpec & { readonly dnsPolicy?: string };
    assert.equal(without.dnsPolicy, 'ClusterFirst');
    assert.equal('dnsConfig' in without, false);
  });

  test('of a pod with a DNS of its own choice stay with that', () => {
    const given = pod('namespace: shop', 'dnsPolicy: Default, containers: [{ name: app, image: a }]');
    const spec = specOf(inject(given, { dnsServer: '10.96.0.10' }).text) as PodSpec & {
      readonly dnsPolicy?: string;
    };
    assert.equal(spec.dnsPolicy, 'Default');
  });
});

test('the token is that of the service account', () => {
  const given = pod('namespace: shop', 'serviceAccountName: order, containers: [{ name: app, image: a }]');
  const token = specOf(inject(given).text).initContainers?.[0]?.env?.find(
    ({ name }) => name === 'HEDDLE_MESH_TOKEN',
  );
  assert.deepEqual(token, {
    name: 'HEDDLE_MESH_TOKEN',
    valueFrom: { secretKeyRef: { key: 'token', name: 'heddle-mesh-order' } },
  });
});

test('or the service account’s own, in a volume that the kubelet renews; injected twice it is there once', () => {
  const given = pod('namespace: shop', 'serviceAccountName: order, containers: [{ name: app, image: a }]');
  const once = inject(given, { accountTokens: true }).text;
  const [sidecar] = specOf(once).initContainers ?? assert.fail();
  assert.ok(!sidecar?.env?.some(({ name }) => name === 'HEDDLE_MESH_TOKEN'));
  assert.match(once, /--token-file,?\s+(?:- )?\/var\/run\/secrets\/heddle\/token/);
  assert.match(once, /audience: heddle-mesh/);
  assert.equal(inject(once, { accountTokens: true }).text, once);
  assert.doesNotMatch(inject(once).text, /audience: heddle-mesh/);
});

test('the annotation of what was added says nothing secret, and is enough to take it out', () => {
  const { annotations } = podsIn(inject(deployment).text)[0]?.metadata ?? assert.fail();
  const status = JSON.parse(annotations[statusName] ?? '') as { digest: string; initContainers: string[] };
  assert.deepEqual(status.initContainers, ['heddle-sidecar']);
  assert.match(status.digest, /^[0-9a-f]{16}$/);
});
