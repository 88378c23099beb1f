import type { MeshInstance } from './instance.ts';

type Labels = Readonly<Record<string, string>>;

/** An instance that has come, gone (`now` undefined) or changed. */
export interface RunningChange {
  readonly before: MeshInstance | undefined;
  readonly now: MeshInstance | undefined;
}

/** What runs at the moment, found by what is asked of it. Changed in place, by one owner. */
export class Running {
  readonly #byId = new Map<string, MeshInstance>();
  readonly #byLabel = new Map<string, Map<string, MeshInstance>>();
  readonly #byWorkload = new Map<string, Map<string, MeshInstance>>();

  constructor(instances: readonly MeshInstance[] = []) {
    for (const [at, instance] of instances.entries()) this.set(`${at}`, instance);
  }

  /** All of them. */
  values(): Iterable<MeshInstance> {
    return this.#byId.values();
  }

  /** Makes `id` that instance; undefined: it runs no more. Returns what was there before. */
  set(id: string, now: MeshInstance | undefined): MeshInstance | undefined {
    const before = this.#byId.get(id);
    if (before !== undefined && now !== undefined) this.#replace(id, before, now);
    else if (before !== undefined) this.#remove(id, before);
    else if (now !== undefined) this.#add(id, now);
    return before;
  }

  /** The instances of a namespace that carry the first label of a selector. */
  selected(namespace: string, selector: Labels): Iterable<MeshInstance> {
    const [first] = pairsOf(selector);
    return first === undefined ? [] : (this.#byLabel.get(`${namespace} ${first}`)?.values() ?? []);
  }

  /** Some instance of a workload (`namespace/name`): that which has run longest. */
  instanceOf(workload: string): MeshInstance | undefined {
    return this.#byWorkload.get(workload)?.values().next().value;
  }

  /** In the place of the one before, so that what stays keeps its order. */
  #replace(id: string, before: MeshInstance, now: MeshInstance): void {
    const [old, next] = [keysOf(before), keysOf(now)];
    if (workloadOf(before) !== workloadOf(now) || old.join() !== next.join()) {
      this.#remove(id, before);
      this.#add(id, now);
      return;
    }
    this.#byId.set(id, now);
    this.#byWorkload.get(workloadOf(now))?.set(id, now);
    for (const key of next) this.#byLabel.get(key)?.set(id, now);
  }

  #add(id: string, instance: MeshInstance): void {
    this.#byId.set(id, instance);
    put(this.#byWorkload, workloadOf(instance), id, instance);
    for (const key of keysOf(instance)) put(this.#byLabel, key, id, instance);
  }

  #remove(id: string, instance: MeshInstance): void {
    this.#byId.delete(id);
    drop(this.#byWorkload, workloadOf(instance), id);
    for (const key of keysOf(instance)) drop(this.#byLabel, key, id);
  }
}

/** `namespace/name`. */
export function workloadOf({ namespace, workload }: MeshInstance): string {
  return `${namespace}/${workload}`;
}

/** In one order, whichever way they were written. */
export function pairsOf(labels: Labels): readonly string[] {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .toSorted();
}

function keysOf({ namespace, labels }: MeshInstance): readonly string[] {
  return pairsOf(labels).map((pair) => `${namespace} ${pair}`);
}

function put<T>(maps: Map<string, Map<string, T>>, key: string, id: string, item: T): void {
  const known = maps.get(key);
  if (known === undefined) maps.set(key, new Map([[id, item]]));
  else known.set(id, item);
}

function drop<T>(maps: Map<string, Map<string, T>>, key: string, id: string): void {
  const known = maps.get(key);
  known?.delete(id);
  if (known?.size === 0) maps.delete(key);
}
