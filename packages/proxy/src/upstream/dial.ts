import type { Instance } from '@heddle/discovery';
import type { HttpService } from '@heddle/wire';

/** One instance that can be called: a service over connections that it owns. */
export interface Dialled {
  readonly service: HttpService;
  /** Takes no new calls; resolves when those in flight are done. Must not reject. */
  drain(): Promise<void>;
  /** Drops the connections and what is on them. */
  close(): void;
}

/** Makes the way to an instance. Opens nothing by itself: the first call does. */
export type Dial = (instance: Instance) => Dialled;
