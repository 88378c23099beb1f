import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { admit, defaultImages, defaultResources, type InjectSettings } from './index.ts';

const settings: InjectSettings = {
  proxy: 'heddle',
  image: defaultImages.heddle,
  controlPlane: { host: 'control', port: 8090 },
  tokenSecret: { name: 'heddle-mesh-{serviceAccount}', key: 'token' },
  dnsServer: undefined,
  byDefault: true,
  native: true,
  resources: defaultResources,
};

interface Review {
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly patch?: string;
    readonly patchType?: string;
    readonly warnings?: readonly string[];
    readonly status?: { readonly code: number; readonly message: string };
  };
}

function asked(metadata: object, changes: object = {}): object {
  const object = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'app' }] } };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u1',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      namespace: 'shop',
      operation: 'CREATE',
      object,
      ...changes,
    },
  };
}

const responseTo = (review: object): Review['response'] =>
  (admit(review, settings).review as unknown as Review).response;

interface Step {
  readonly op: string;
  readonly path: string;
  readonly value?: { readonly args?: readonly string[] } & readonly { readonly args: readonly string[] }[];
}

const stepsOf = ({ patch = '' }: Review['response']): readonly Step[] =>
  JSON.parse(Buffer.from(patch, 'base64').toString()) as Step[];

test('a pod is allowed with the patch that adds its sidecar', () => {
  const response = responseTo(asked({ name: 'web' }));
  assert.deepEqual([response.uid, response.allowed, response.patchType], ['u1', true, 'JSONPatch']);
  assert.deepEqual(
    stepsOf(response).map(({ op, path }) => `${op} ${path}`),
    [
      'add /metadata/labels',
      'add /metadata/annotations',
      'add /spec/initContainers',
      'add /spec/volumes',
      'add /spec/securityContext',
    ],
  );
});

test('its workload is whoever has made it: a Deployment by its ReplicaSet, a CronJob by its Job', () => {
  const workloadOf = (owner: { kind: string; name: string }, labels: object = {}): string | undefined => {
    const metadata = {
      generateName: `${owner.name}-`,
      labels,
      ownerReferences: [{ controller: true, ...owner }],
    };
    const added = stepsOf(responseTo(asked(metadata))).find(({ path }) => path === '/spec/initContainers');
    const args = added?.value?.[0]?.args ?? [];
    return args[args.indexOf('--workload') + 1];
  };
  const hash = { 'pod-template-hash': '7d4b9c' };
  assert.equal(workloadOf({ kind: 'ReplicaSet', name: 'web-7d4b9c' }, hash), '$(POD_NAMESPACE)/web');
  assert.equal(workloadOf({ kind: 'ReplicaSet', name: 'web-7d4b9c' }), '$(POD_NAMESPACE)/web-7d4b9c');
  assert.equal(workloadOf({ kind: 'Job', name: 'nightly-28437120' }), '$(POD_NAMESPACE)/nightly');
  assert.equal(workloadOf({ kind: 'StatefulSet', name: 'db' }), '$(POD_NAMESPACE)/db');
});

test('what gets no sidecar is allowed as it is; what asks wrongly is refused; what is idle talk is a warning', () => {
  const off = responseTo(asked({ name: 'web', labels: { 'sidecar.istio.io/inject': 'false' } }));
  assert.deepEqual(off, { uid: 'u1', allowed: true });
  const bad = responseTo(asked({ name: 'web', annotations: { 'sidecar.istio.io/proxyMemory': 'x' } }));
  assert.equal(bad.allowed, false);
  assert.match(
    bad.status?.message ?? '',
    /^pod shop\/web: sidecar\.istio\.io\/proxyMemory: expected a quantity/,
  );
  const idle = responseTo(asked({ name: 'web', annotations: { 'sidecar.istio.io/discovery': 'x' } }));
  assert.match(idle.warnings?.join() ?? '', /discovery has no effect/);
  assert.deepEqual(responseTo(asked({ name: 'web' }, { operation: 'UPDATE' })), { uid: 'u1', allowed: true });
});

test('what is no question about a pod is an error of whoever asks', () => {
  for (const [review, expected] of [
    [{}, /expected an AdmissionReview of admission\.k8s\.io\/v1/],
    [{ ...asked({}), apiVersion: 'admission.k8s.io/v1beta1' }, /found admission\.k8s\.io\/v1beta1/],
    [asked({}, { uid: '' }), /expected a request with a uid/],
    [asked({}, { kind: { kind: 'Deployment' } }), /expected a Pod, found Deployment/],
    [asked({}, { object: null }), /expected a Pod/],
  ] as const)
    assert.throws(
      () => admit(review, settings),
      (error) =>
        error instanceof HeddleError &&
        error.is('invalid_argument', 'BAD_REVIEW') &&
        expected.test(error.message),
    );
});
