import type { Call } from '@heddle/kernel';
import type { Place } from '../place/place.ts';
import type { ConfigVersion } from '../version/version.ts';

/**
 * Where versions are kept: one of the backends, or a server that stands before one. A log for each place, that only
 * grows. `configContract` (in `@heddle/config/testing`) says all of it in tests.
 */
export interface ConfigStore {
  /** For people and metrics: `etcd`, `git` … */
  readonly name: string;
  /** The newest version of a place; undefined if it has none. */
  head(place: Place): Promise<ConfigVersion | undefined>;
  /** Versions above `after` in order, without a gap, the first `limit` of them. */
  read(place: Place, after: number, limit: number): Promise<readonly ConfigVersion[]>;
  /**
   * Adds a version. Durable when it resolves. Rejects with `aborted` / `VERSION_CONFLICT` unless the head is the one
   * before it: of two that add at once, one wins.
   */
  append(version: ConfigVersion): Promise<void>;
  /** All places that have versions, in the order of their texts. */
  places(): Promise<readonly Place[]>;
  /**
   * Wakes whoever follows a place: once when it is listening, then whenever there may be something new. It may wake for
   * nothing, and never misses. Rejects when the connection breaks, and with the call's reason when that is cancelled.
   */
  wakes(place: Place, call: Call): AsyncIterable<void>;
  close(): Promise<void>;
}
