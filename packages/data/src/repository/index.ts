export type { Condition, Criteria, Page, PageOptions } from './criteria.ts';
export { MemoryRepository, type MemoryRepositoryOptions } from './memory-repository.ts';
export type { Entity, FieldKind, Fields } from './entity.ts';
export type { Repository, Stored } from './repository.ts';
export { SqlRepository, type SqlRepositoryOptions } from './sql-repository.ts';
