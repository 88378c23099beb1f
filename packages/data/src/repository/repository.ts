import type { Criteria, Page, PageOptions } from './criteria.ts';
import type { Entity } from './entity.ts';

/** An entity as it is kept: a copy of its own, every time. */
export interface Stored<Kept extends Entity> {
  readonly entity: Kept;
  /** 1 when it is new, and one more with each update. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/**
 * Entities of one kind. What is given is copied and never changed; what is given back is nobody else's. Rejects with a
 * `HeddleError`: `invalid_argument` / `BAD_CRITERIA` or `BAD_PAGE` for what cannot be asked.
 */
export interface Repository<Kept extends Entity> {
  /** Keeps a new one. Rejects with `already_exists` / `ENTITY_EXISTS`. */
  save(entity: Kept): Promise<Stored<Kept>>;
  findById(id: string): Promise<Stored<Kept> | undefined>;
  /** Those that meet all conditions, page by page. */
  findByCriteria(criteria: Criteria<Kept>, options?: PageOptions<Kept>): Promise<Page<Stored<Kept>>>;
  /**
   * Replaces the one of that version. Rejects with `aborted` / `STALE_VERSION` if somebody has changed it since, and with
   * `not_found` / `NO_SUCH_ENTITY`.
   */
  update(entity: Kept, version: number): Promise<Stored<Kept>>;
  /** False: there was none. With a version: rejects as `update` does if it has changed since. */
  delete(id: string, version?: number): Promise<boolean>;
  /** All of `work`, or nothing of it if it rejects. What it does must go through the repository that it is given. */
  transaction<T>(work: (repository: Repository<Kept>) => Promise<T>): Promise<T>;
}
