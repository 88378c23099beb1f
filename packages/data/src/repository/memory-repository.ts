import type { Clock } from '@heddle/kernel';
import { type Criteria, nextOf, type Page, type PageOptions, type Place, queryOf } from './criteria.ts';
import { comparePlaces, matches, valueOf } from './matches.ts';
import { entityExists, noSuchEntity, staleVersion } from './refusals.ts';
import type { Entity, Fields } from './entity.ts';
import type { Repository, Stored } from './repository.ts';

/** What a repository in memory is made from. */
export interface MemoryRepositoryOptions<Kept extends Entity> {
  readonly clock: Clock;
  readonly fields?: Fields<Kept>;
}

/** Entities in this process, for tests: as in PostgreSQL, except that nothing outlives it. */
export class MemoryRepository<Kept extends Entity> implements Repository<Kept> {
  readonly #options: MemoryRepositoryOptions<Kept>;
  #kept: Map<string, Stored<Kept>>;
  /** Transactions come one after another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: MemoryRepositoryOptions<Kept>, kept: ReadonlyMap<string, Stored<Kept>> = new Map()) {
    this.#options = options;
    this.#kept = new Map(kept);
  }

  async save(entity: Kept): Promise<Stored<Kept>> {
    if (this.#kept.has(entity.id)) throw entityExists(entity.id);
    const now = this.#now();
    return this.#put({ entity, version: 1, createdAt: now, updatedAt: now });
  }

  async findById(id: string): Promise<Stored<Kept> | undefined> {
    const found = this.#kept.get(id);
    return found && copyOf(found);
  }

  async findByCriteria(criteria: Criteria<Kept>, options?: PageOptions<Kept>): Promise<Page<Stored<Kept>>> {
    const query = queryOf(this.#options.fields ?? {}, criteria, options);
    const { after, limit, clauses, orderBy } = query;
    const found = [...this.#kept.values()]
      .filter(({ entity }) => matches(entity, clauses))
      .map((item) => ({ item, place: { value: valueOf(item.entity, orderBy.field), id: item.entity.id } }))
      .filter(({ place }) => after === undefined || comparePlaces(place, after, query) > 0)
      .toSorted((a, b) => comparePlaces(a.place, b.place, query));
    const items = found.slice(0, limit).map(({ item }) => copyOf(item));
    const last = found.at(limit - 1)?.place as Place;
    return { items, next: found.length > limit ? nextOf(last) : undefined };
  }

  async update(entity: Kept, version: number): Promise<Stored<Kept>> {
    const found = this.#kept.get(entity.id);
    if (found === undefined) throw noSuchEntity(entity.id);
    if (found.version !== version) throw staleVersion(entity.id, version, found.version);
    return this.#put({ ...found, entity, version: version + 1, updatedAt: this.#now() });
  }

  async delete(id: string, version?: number): Promise<boolean> {
    const found = this.#kept.get(id);
    if (found === undefined) return false;
    if (version !== undefined && found.version !== version) throw staleVersion(id, version, found.version);
    return this.#kept.delete(id);
  }

  transaction<T>(work: (repository: Repository<Kept>) => Promise<T>): Promise<T> {
    const run = async (): Promise<T> => {
      const unit = new MemoryRepository<Kept>(this.#options, this.#kept);
      const value = await work(unit);
      this.#kept = unit.#kept;
      return value;
    };
    const mine = this.#last.then(run);
    this.#last = mine.catch(() => {});
    return mine;
  }

  #put(stored: Stored<Kept>): Stored<Kept> {
    this.#kept.set(stored.entity.id, copyOf(stored));
    return copyOf(stored);
  }

  #now(): Date {
    return new Date(this.#options.clock.wallMs());
  }
}

/** By way of JSON, as PostgreSQL keeps it. */
function copyOf<Kept extends Entity>({ entity, version, createdAt, updatedAt }: Stored<Kept>): Stored<Kept> {
  const copy = JSON.parse(JSON.stringify(entity)) as Kept;
  return { entity: copy, version, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) };
}
