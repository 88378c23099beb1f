import type { Address, Runtime } from '@heddle/kernel';
import type { HttpService } from '@heddle/wire';
import type { ConfigStore } from '../store/config-store.ts';

/** A backend for one case, with no versions in it. */
export interface ConfigStage {
  readonly runtime: Runtime;
  /** Another object for the same backend, as another process would have it. The stage closes them all. */
  open(): Promise<ConfigStore>;
  /** One that reaches the backend through a proxy that can be cut; missing where the backend has no connections. */
  readonly faulty?: {
    open(): Promise<ConfigStore>;
    cut(): void;
    heal(): void;
  };
  /** Kills the backend's server and starts it again with what it had. */
  restart?(): Promise<void>;
  /** All that the backend has stored, as text, to look for what must not be there. */
  readonly contents: () => Promise<string>;
  /** Serves a service on a free port, for clients in the name of other processes. `at`: where it was before. */
  serve(service: HttpService, at?: Address): Promise<{ readonly address: Address; stop(): Promise<void> }>;
  close(): Promise<void>;
}
