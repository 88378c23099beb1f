import type { Assignment, MeshModel, Workload } from '../model/index.ts';
import { emptyModel } from '../model/index.ts';
import type { Resource } from '../resources/index.ts';
import { assignmentsOf } from './assignments.ts';
import type { DirectoryService } from './directory.ts';
import { type MeshInstance, selects } from './instance.ts';
import { Running, type RunningChange, workloadOf } from './running.ts';
import { begin, type TranslateOptions, type Translation } from './scope.ts';
import { same, translated } from './translate.ts';
import { Workloads } from './workloads.ts';

/**
 * The model of a mesh over time. Other rules make it anew; when an instance comes, goes or changes, the assignments of
 * the services that select it are made anew, and nothing else. Models share what has not changed.
 */
export class MeshTranslation {
  readonly #options: Omit<TranslateOptions, 'instances'>;
  readonly #running = new Running();
  readonly #registered = new Map<string, number>();
  #resources: readonly Resource[] = [];
  #translation: Translation | undefined;
  #workloads: Workloads | undefined;
  #model: MeshModel;

  constructor(options: Omit<TranslateOptions, 'instances'> = {}) {
    this.#options = options;
    this.#model = emptyModel(options.trustDomain ?? 'cluster.local');
  }

  /** The newest. */
  get model(): MeshModel {
    return this.#model;
  }

  /** Other rules. Those that are not valid are left out. */
  rules(resources: readonly Resource[]): MeshModel {
    this.#resources = resources;
    return this.#whole();
  }

  /** Instances by an id of whoever tells of them; undefined: it runs no more. */
  instances(changed: Iterable<readonly [id: string, now: MeshInstance | undefined]>): MeshModel {
    const changes: RunningChange[] = [];
    let isKnown = true;
    for (const [id, now] of changed) {
      const before = this.#running.set(id, now);
      changes.push({ before, now });
      // A service that only the registry knows is there as long as it has instances.
      const hasCome = this.#count(now, 1);
      const hasGone = this.#count(before, -1);
      if (hasCome || hasGone) isKnown = false;
    }
    if (changes.length === 0 || this.#translation === undefined) return this.#model;
    return isKnown ? this.#some(changes, this.#translation) : this.#whole();
  }

  #whole(): MeshModel {
    const options = { ...this.#options, running: this.#running };
    this.#translation = begin(
      this.#resources.filter(({ valid }) => valid),
      options,
    );
    this.#workloads = new Workloads(this.#translation);
    this.#model = translated(this.#translation, this.#workloads, this.#model);
    return this.#model;
  }

  #some(changes: readonly RunningChange[], translation: Translation): MeshModel {
    const services = new Set<DirectoryService>();
    const workloads = new Set<string>();
    for (const { before, now } of changes) {
      for (const instance of [before, now]) {
        if (instance === undefined) continue;
        workloads.add(workloadOf(instance));
        for (const service of translation.lookups.servicesFor(instance.namespace, instance.labels))
          if (selects(service.selector, instance.labels)) services.add(service);
      }
    }
    const { assignments, workloads: known } = this.#model;
    const made = [...services].flatMap((service) => assignmentsOf(service, translation));
    const next = changedIn<Assignment>(
      assignments,
      made.map((each) => [each.cluster, each]),
    );
    const others = changedIn<Workload>(
      known,
      [...workloads].map((key) => [key, this.#workloads?.one(key)]),
    );
    if (next !== assignments || others !== known)
      this.#model = { ...this.#model, assignments: next, workloads: others };
    return this.#model;
  }

  /** True if a service that only the registry knows has come or gone by it. */
  #count(instance: MeshInstance | undefined, by: 1 | -1): boolean {
    if (instance?.registered === undefined) return false;
    const { service, port } = instance.registered;
    const key = `${instance.namespace}/${service}:${port}`;
    const count = (this.#registered.get(key) ?? 0) + by;
    if (count === 0) this.#registered.delete(key);
    else this.#registered.set(key, count);
    return by === 1 ? count === 1 : count === 0;
  }
}

/** The same map if nothing in it is another than before. */
function changedIn<T>(
  before: ReadonlyMap<string, T>,
  entries: readonly (readonly [string, T | undefined])[],
): ReadonlyMap<string, T> {
  let next: Map<string, T> | undefined;
  for (const [key, value] of entries) {
    const old = before.get(key);
    if (value === undefined ? old === undefined : same(old, value) === old) continue;
    next ??= new Map(before);
    if (value === undefined) next.delete(key);
    else next.set(key, value);
  }
  return next ?? before;
}
