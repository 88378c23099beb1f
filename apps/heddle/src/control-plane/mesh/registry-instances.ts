import type { Registry, Snapshot } from '@heddle/discovery';
import { HeddleError, type Part, type Runtime, type Timer } from '@heddle/kernel';
import type { MeshInstance } from '@heddle/mesh/translate';
import { registeredInstance } from './registered-instance.ts';

/** Instances by an id that stays theirs; undefined: it runs no more. */
export type InstanceChanges = readonly (readonly [id: string, now: MeshInstance | undefined])[];

/** What is followed, and for whom. */
export interface RegistryInstancesOptions {
  readonly runtime: Runtime;
  readonly registry: Registry;
  /** Of instances that name none. */
  readonly namespace: string;
  readonly changed: (changes: InstanceChanges) => void;
}

/** How soon the first instance of a new service is seen; every other change is told at once. */
const lookEveryMs = 1000;

/**
 * The instances of a registry, as changes for the mesh. While the registry cannot be asked, what was known stays: a
 * registry that is away has not lost its services.
 */
export class RegistryInstances implements Part {
  readonly name = 'mesh instances';
  readonly #options: RegistryInstancesOptions;
  readonly #watched = new Map<string, AbortController>();
  readonly #known = new Map<string, ReadonlyMap<string, string>>();
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: RegistryInstancesOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#look();
  }

  async drain(): Promise<void> {
    this.#stop();
  }

  async stop(): Promise<void> {
    this.#stop();
  }

  #stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const watch of this.#watched.values()) watch.abort();
  }

  async #look(): Promise<void> {
    const { registry, runtime } = this.#options;
    try {
      for (const name of await registry.services()) if (!this.#watched.has(name)) this.#follow(name);
    } catch (thrown) {
      if (!this.#stopped)
        runtime.log('warn', 'the registry of the mesh cannot be asked; what was known stays', {
          message: HeddleError.from(thrown).message,
        });
    }
    if (!this.#stopped) this.#timer = runtime.timers.after(lookEveryMs, () => void this.#look());
  }

  /** Until the service has no instances any more: then the next look begins anew if it comes back. */
  #follow(service: string): void {
    const controller = new AbortController();
    this.#watched.set(service, controller);
    const run = async (): Promise<void> => {
      for await (const snapshot of this.#options.registry.watch(service, controller.signal)) {
        this.#take(service, snapshot);
        if (snapshot.instances.length === 0 && !snapshot.stale) break;
      }
    };
    run()
      .catch((thrown: unknown) =>
        this.#options.runtime.log('warn', 'a service of the registry is followed no more', {
          service,
          message: HeddleError.from(thrown).message,
        }),
      )
      .finally(() => this.#watched.delete(service));
  }

  /** Only what is another than before is told: a watch gives all instances with each change of one. */
  #take(service: string, { instances, stale }: Snapshot): void {
    if (stale && instances.length === 0) return;
    const { namespace, changed } = this.#options;
    const before = this.#known.get(service) ?? new Map<string, string>();
    const now = new Map<string, string>();
    const changes: [string, MeshInstance | undefined][] = [];
    for (const each of instances) {
      const made = registeredInstance(each, namespace);
      if (made === undefined) continue;
      const id = `${service} ${each.id}`;
      const text = JSON.stringify(made);
      now.set(id, text);
      if (before.get(id) !== text) changes.push([id, made]);
    }
    for (const id of before.keys()) if (!now.has(id)) changes.push([id, undefined]);
    if (now.size === 0) this.#known.delete(service);
    else this.#known.set(service, now);
    if (changes.length > 0) changed(changes);
  }
}
