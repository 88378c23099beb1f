import type { EurekaInstance } from './eureka-instance.ts';

/** What `/apps` and `/apps/delta` answer with. */
export interface EurekaApplications {
  readonly applications?: {
    readonly apps__hashcode?: unknown;
    readonly application?: readonly {
      readonly name?: unknown;
      readonly instance?: readonly EurekaInstance[];
    }[];
  };
}

/**
 * All of a Eureka server's registry, kept up to date by what has changed lately. Pure. An entry never gives way to an
 * older one, as a peer that is behind would have it.
 */
export class Applications {
  #apps = new Map<string, Map<string, EurekaInstance>>();

  /** Entries of an application, by its name in capitals. */
  of(app: string): readonly EurekaInstance[] {
    return [...(this.#apps.get(app)?.values() ?? [])];
  }

  /** Names of the applications that have entries, in capitals. */
  get names(): readonly string[] {
    return [...this.#apps.keys()];
  }

  /** Takes over a full answer. */
  replace(answer: EurekaApplications): void {
    const before = this.#apps;
    this.#apps = new Map();
    for (const [app, entry] of entriesOf(answer)) {
      const known = before.get(app)?.get(idOf(entry));
      this.#put(app, known !== undefined && dirtyOf(known) > dirtyOf(entry) ? known : entry);
    }
  }

  /**
   * Applies what has changed; the answer spans the last minutes, so most of it is known. False if the result is not
   * what the server has: all of it has to be asked for.
   */
  apply(answer: EurekaApplications): boolean {
    for (const [app, entry] of entriesOf(answer)) {
      if (entry.actionType === 'DELETED') this.#remove(app, idOf(entry));
      else this.#put(app, entry);
    }
    return this.hash === answer.applications?.apps__hashcode;
  }

  /** How many entries have which status, as Eureka writes it: `DOWN_1_UP_7_`. */
  get hash(): string {
    const counts = new Map<string, number>();
    for (const entries of this.#apps.values())
      for (const { status } of entries.values())
        counts.set(String(status), (counts.get(String(status)) ?? 0) + 1);
    return [...counts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([status, count]) => `${status}_${count}_`)
      .join('');
  }

  #put(app: string, entry: EurekaInstance): void {
    const entries = this.#apps.get(app);
    if (entries === undefined) this.#apps.set(app, new Map([[idOf(entry), entry]]));
    else entries.set(idOf(entry), entry);
  }

  #remove(app: string, id: string): void {
    const entries = this.#apps.get(app);
    entries?.delete(id);
    if (entries?.size === 0) this.#apps.delete(app);
  }
}

function* entriesOf({ applications }: EurekaApplications): Generator<[string, EurekaInstance], void> {
  for (const { name, instance = [] } of applications?.application ?? [])
    for (const entry of instance) yield [String(name).toUpperCase(), entry];
}

function idOf({ instanceId, hostName }: EurekaInstance): string {
  return String(instanceId ?? hostName);
}

function dirtyOf({ lastDirtyTimestamp }: EurekaInstance): number {
  return Number(lastDirtyTimestamp ?? 0);
}
