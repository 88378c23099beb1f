export {
  type CapturedTable,
  type ParkedEntity,
  PostgresCapture,
  type PostgresCaptureOptions,
} from './capture/postgres-capture.ts';
export type { Change, SourceEntity } from './change.ts';
export type { Difference } from './compare.ts';
export { type AnySyncRule, type SyncLevel, syncLevels, type SyncRule } from './rule.ts';
export { repositorySource, type SyncSource, tableSource } from './source.ts';
export { Synchroniser, type SynchroniserOptions, type SyncUnit } from './synchroniser.ts';
export { type SyncTarget, tableTarget, type TableTargetOptions } from './target.ts';
export type { WeakCounts } from './weak-queue.ts';
