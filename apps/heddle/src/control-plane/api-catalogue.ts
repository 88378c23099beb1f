import {
  approved,
  type CatalogueEntry,
  type CatalogueVerdict,
  type Contract,
  contractChanges,
  type ConsumerUse,
  offered,
  type OfferedContract,
} from '@heddle/api';
import { HeddleError, type Runtime } from '@heddle/kernel';

/** What a catalogue is made of. */
export interface ApiCatalogueOptions {
  readonly runtime: Runtime;
  /** Who uses some operations of a service, as far as that is seen or known. */
  readonly usesOf: (service: string, operations: readonly string[]) => Promise<readonly ConsumerUse[]>;
  readonly onBreaking: () => 'quarantine' | 'warn';
}

const folder = 'catalogue';

/** The contracts of all services: one file each on the runtime's disk, read once and written with each change. */
export class ApiCatalogue {
  readonly #options: ApiCatalogueOptions;
  readonly #entries: Map<string, CatalogueEntry>;
  /** Offers are judged one after another, so that two instances of one new version are one version. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(options: ApiCatalogueOptions, entries: Map<string, CatalogueEntry>) {
    this.#options = options;
    this.#entries = entries;
  }

  /** Reads what the disk holds. Rejects with `data_loss` / `BAD_CATALOGUE` for a file that is none. */
  static async open(options: ApiCatalogueOptions): Promise<ApiCatalogue> {
    const { disk } = options.runtime;
    const entries = new Map<string, CatalogueEntry>();
    for (const name of await disk.list(folder)) {
      if (!name.endsWith('.json')) continue;
      const entry = entryIn(name, await disk.read(`${folder}/${name}`));
      entries.set(entry.service, entry);
    }
    return new ApiCatalogue(options, entries);
  }

  /** All services, in the order of their names. */
  get entries(): readonly CatalogueEntry[] {
    return [...this.#entries.values()].toSorted((a, b) => (a.service < b.service ? -1 : 1));
  }

  entry(service: string): CatalogueEntry | undefined {
    return this.#entries.get(service);
  }

  /** The newest contract of a service. */
  contractOf(service: string): Contract | undefined {
    return this.#entries.get(service)?.versions.at(-1)?.contract;
  }

  /** Judges what an instance brings, and keeps it (see `offered`). Resolves when that is on disk. */
  offer(offer: OfferedContract): Promise<CatalogueVerdict> {
    return this.#inTurn(async () => {
      const before = this.#entries.get(offer.service);
      const { runtime, usesOf, onBreaking } = this.#options;
      const newest = before?.versions.at(-1);
      const breaking =
        newest === undefined
          ? []
          : contractChanges(newest.contract, offer.contract).filter(({ level }) => level === 'breaking');
      const touched = [...new Set(breaking.flatMap(({ operations }) => operations))];
      const uses = breaking.length === 0 ? [] : await usesOf(offer.service, touched);
      const judged = offered(before, offer, uses, onBreaking(), runtime.clock.wallMs());
      // What is asked again, and says the same again, is neither kept nor told again.
      if (judged.entry === before) return judged;
      await this.#keep(judged.entry);
      this.#tell(offer, judged);
      return judged;
    });
  }

  /** Takes a contract out of quarantine. Rejects with `not_found` / `NOT_QUARANTINED`. */
  approve(service: string, hash: string, by: string): Promise<CatalogueEntry> {
    return this.#inTurn(async () => {
      const entry = this.#entries.get(service);
      const { runtime } = this.#options;
      const after = entry && approved(entry, hash, by, runtime.clock.wallMs());
      if (after === undefined) throw notQuarantined(service, hash);
      await this.#keep(after);
      runtime.log('warn', 'a contract that breaks others has been approved', { service, hash, by });
      return after;
    });
  }

  async #keep(entry: CatalogueEntry): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify(entry));
    await this.#options.runtime.disk.replace(`${folder}/${entry.service}.json`, bytes);
    this.#entries.set(entry.service, entry);
  }

  #tell({ service, instance }: OfferedContract, { verdict, entry, record }: CatalogueVerdict): void {
    const { log } = this.#options.runtime;
    if (verdict === 'taken')
      log('info', 'a contract is in the catalogue', { service, version: entry.versions.at(-1)?.number });
    if (record === undefined) return;
    log(
      'error',
      `a contract breaks others${verdict === 'quarantined' ? ', and its instance is kept out' : ''}`,
      {
        service,
        instance,
        contract: record.hash,
        changes: record.changes.map(({ rule, at }) => `${rule} ${at}`).slice(0, 10),
        consumers: record.consumers.map((consumer) => consumer.service),
      },
    );
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

function entryIn(name: string, bytes: Uint8Array | undefined): CatalogueEntry {
  try {
    const entry = JSON.parse(new TextDecoder().decode(bytes)) as CatalogueEntry;
    if (Array.isArray(entry.versions) && Array.isArray(entry.quarantined)) return entry;
  } catch {
    // Said below.
  }
  const message = `the catalogue's file ${folder}/${name} is damaged; remove it, and it is collected again`;
  throw new HeddleError({ code: 'data_loss', reason: 'BAD_CATALOGUE', message });
}

function notQuarantined(service: string, hash: string): HeddleError {
  const message = `no contract ${hash} of ${service} is in quarantine; "heddle api quarantine" lists those that are`;
  return new HeddleError({ code: 'not_found', reason: 'NOT_QUARANTINED', message, sent: false });
}
