import type { Assignment, Cluster, MeshModel, ServiceListener } from '../model/index.ts';
import type { Resource } from '../resources/index.ts';
import { assignmentsOf } from './assignments.ts';
import { clustersOf } from './clusters.ts';
import { begin, type TranslateOptions, type Translation } from './scope.ts';
import { listenersOf } from './services.ts';
import { Workloads } from './workloads.ts';

/**
 * The rules of some resources in the one form that every data plane's configuration is made from. Objects that are
 * not valid are left out. What has not changed since `before` is the same object as there, so that a change can be
 * found by identity: a control plane gives the model of last time.
 */
export function translate(
  resources: readonly Resource[],
  options: TranslateOptions = {},
  before?: MeshModel,
): MeshModel {
  const translation = begin(
    resources.filter(({ valid }) => valid),
    options,
  );
  return translated(translation, new Workloads(translation), before);
}

/** The whole model of a translation that has begun. */
export function translated(
  translation: Translation,
  workloads: Workloads,
  before: MeshModel | undefined,
): MeshModel {
  const clusters = new Map<string, Cluster>();
  const assignments = new Map<string, Assignment>();
  const services: ServiceListener[] = [];
  for (const service of translation.directory.services) {
    services.push(...listenersOf(service, translation));
    for (const cluster of clustersOf(service, translation)) clusters.set(cluster.name, cluster);
    for (const each of assignmentsOf(service, translation)) assignments.set(each.cluster, each);
  }
  const kept = before?.services.map((each) => [`${each.host}:${each.port}`, each] as const);
  const listenersBefore = new Map(kept);
  return {
    trustDomain: translation.options.trustDomain ?? 'cluster.local',
    services: sharedList(
      before?.services,
      services.map((each) => same(listenersBefore.get(`${each.host}:${each.port}`), each)),
    ),
    clusters: shared(before?.clusters, clusters),
    assignments: shared(before?.assignments, assignments),
    workloads: shared(before?.workloads, workloads.all()),
  };
}

function shared<T>(
  before: ReadonlyMap<string, T> | undefined,
  now: ReadonlyMap<string, T>,
): ReadonlyMap<string, T> {
  if (before === undefined) return now;
  let changed = before.size !== now.size;
  const result = new Map<string, T>();
  for (const [name, value] of now) {
    const one = same(before.get(name), value);
    if (one === value) changed = true;
    result.set(name, one);
  }
  return changed ? result : before;
}

function sharedList<T>(before: readonly T[] | undefined, now: readonly T[]): readonly T[] {
  const isSame = before?.length === now.length && now.every((each, at) => each === before[at]);
  return isSame ? before : now;
}

/** The old value where the new one says the same. */
export function same<T>(before: T | undefined, now: T): T {
  return before !== undefined && JSON.stringify(before) === JSON.stringify(now) ? before : now;
}
