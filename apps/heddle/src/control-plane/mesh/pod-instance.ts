import { membersOf } from '@heddle/discovery/clients';
import type { MeshInstance } from '@heddle/mesh/translate';
import type { KubernetesJson } from './kubernetes-collection.ts';

/**
 * A pod as the mesh has it; undefined for one that has no address or has ended. Its workload is what its owner is
 * called, without the part that a ReplicaSet adds. `locality`: of the node that it runs on.
 */
export function podInstance(
  pod: KubernetesJson,
  locality: (node: string) => MeshInstance['locality'],
): MeshInstance | undefined {
  const {
    name,
    namespace = 'default',
    labels,
    ownerReferences,
    deletionTimestamp,
    annotations,
  } = pod.metadata;
  const spec = membersOf(pod['spec'] ?? {});
  const status = membersOf(pod['status'] ?? {});
  const { podIP, phase } = status;
  if (typeof podIP !== 'string' || podIP === '' || phase === 'Succeeded' || phase === 'Failed')
    return undefined;
  const own = (labels ?? {}) as Readonly<Record<string, string>>;
  const account = spec['serviceAccountName'];
  return {
    namespace,
    workload: workloadOf(name, ownerReferences, own),
    labels: own,
    address: podIP,
    ports: portsOf(spec['containers']),
    serviceAccount: typeof account === 'string' ? account : 'default',
    locality: locality(typeof spec['nodeName'] === 'string' ? spec['nodeName'] : ''),
    weight: 1,
    health: deletionTimestamp === undefined ? (isReady(status) ? 'healthy' : 'unhealthy') : 'draining',
    meshTls: hasSidecar(spec['containers'], spec['initContainers'], annotations),
  };
}

/** `order-7d9f8c6b5-x2x4v` of the ReplicaSet `order-7d9f8c6b5` is of the workload `order`. */
function workloadOf(pod: string, owners: unknown, labels: Readonly<Record<string, string>>): string {
  const [owner] = Array.isArray(owners) ? owners.map((each: unknown) => membersOf(each)) : [];
  const name = owner?.['name'];
  if (typeof name !== 'string') return pod;
  const hash = labels['pod-template-hash'];
  return owner?.['kind'] === 'ReplicaSet' && hash !== undefined && name.endsWith(`-${hash}`)
    ? name.slice(0, -hash.length - 1)
    : name;
}

function containersIn(containers: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(containers) ? containers.map((each: unknown) => membersOf(each)) : [];
}

function portsOf(containers: unknown): Readonly<Record<string, number>> {
  const ports = containersIn(containers).flatMap(({ ports: own }) =>
    containersIn(own).flatMap(({ name, containerPort }) =>
      typeof name === 'string' && typeof containerPort === 'number' ? [[name, containerPort] as const] : [],
    ),
  );
  return Object.fromEntries(ports);
}

function isReady({ conditions }: Readonly<Record<string, unknown>>): boolean {
  return containersIn(conditions).some(({ type, status }) => type === 'Ready' && status === 'True');
}

/** What injection has put there, ours or Istio's. */
function hasSidecar(containers: unknown, first: unknown, annotations: unknown): boolean {
  const names = [...containersIn(containers), ...containersIn(first)].map(({ name }) => name);
  const said = (annotations ?? {}) as Readonly<Record<string, unknown>>;
  return (
    names.some((name) => name === 'heddle-sidecar' || name === 'istio-proxy') ||
    said['sidecar.istio.io/status'] !== undefined
  );
}
