import { isMembers, type JsonMembers, membersIn, objectsIn, textOf } from './json-value.ts';
import type { PodBody } from './pod-body.ts';

/** Where in an object a pod, or the template of pods, is. */
export interface PodPlace {
  /** Empty for a Pod, which is one itself. */
  readonly path: readonly string[];
  /** `deployment shop/web`. */
  readonly subject: string;
  readonly namespace: string;
  /** The kind and name of what makes the pods. */
  readonly workload: { readonly kind: string; readonly name: string };
  readonly body: PodBody;
}

const template = ['spec', 'template'];

/** By group and kind, without the version. */
const places: Readonly<Record<string, readonly string[]>> = {
  '/Pod': [],
  '/PodTemplate': ['template'],
  '/ReplicationController': template,
  'apps/Deployment': template,
  'apps/StatefulSet': template,
  'apps/DaemonSet': template,
  'apps/ReplicaSet': template,
  'batch/Job': template,
  'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template'],
  'apps.openshift.io/DeploymentConfig': template,
  'argoproj.io/Rollout': template,
};

/** Where an object has its pods; undefined for one that makes none. */
export function podPlace(object: JsonMembers, namespace: string): PodPlace | undefined {
  const { apiVersion, kind } = object;
  const group = textOf(apiVersion).includes('/') ? textOf(apiVersion).split('/')[0] : '';
  const path = places[`${group}/${textOf(kind)}`];
  if (path === undefined) return undefined;
  const found = path.reduce<JsonMembers>((inside, step) => membersIn(inside[step]), object);
  if (!isMembers(found['spec'])) return undefined;
  const metadata = membersIn(object['metadata']);
  const own = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : namespace;
  const name = textOf(metadata['name'] ?? metadata['generateName'] ?? '');
  return {
    path,
    subject: `${textOf(kind).toLowerCase()} ${own}/${name}`,
    namespace: own,
    workload: { kind: textOf(kind), name },
    body: { metadata: membersIn(found['metadata']), spec: found['spec'] },
  };
}

/** The objects of a document, each with its place: one, or those of a List. */
export function objectsOf(
  document: JsonMembers,
): readonly { readonly path: readonly (string | number)[]; readonly object: JsonMembers }[] {
  const isList = textOf(document['kind']).endsWith('List') && Array.isArray(document['items']);
  if (!isList) return [{ path: [], object: document }];
  const kind = textOf(document['kind']).slice(0, -'List'.length);
  return (document['items'] as readonly unknown[]).flatMap((item, at) => {
    if (!isMembers(item)) return [];
    // The items of a PodList need not say that they are Pods.
    const known = kind === '' ? {} : { apiVersion: document['apiVersion'], kind };
    return [{ path: ['items', at], object: { ...known, ...item } }];
  });
}

/** The labels of the namespaces among objects. */
export function namespacesAmong(
  objects: readonly JsonMembers[],
): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const found = new Map<string, Readonly<Record<string, string>>>();
  for (const { apiVersion, kind, metadata } of objectsIn(objects)) {
    if (apiVersion !== 'v1' || kind !== 'Namespace') continue;
    const { name, labels } = membersIn(metadata);
    found.set(textOf(name), membersIn(labels) as Readonly<Record<string, string>>);
  }
  return found;
}
