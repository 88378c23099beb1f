import type { HttpService } from '@heddle/wire';
import type { Materials, Serving } from './serving.ts';

/** One instance of an upstream, as one process sees it. */
export interface InstanceStatus {
  readonly id: string;
  readonly address: string;
  /** Of its connections. */
  readonly state: string;
  readonly inFlight: number;
  /** Why no request goes there now. */
  readonly blocked?: string;
}

/** An upstream, as one process sees it. */
export interface UpstreamStatus {
  readonly target: string;
  readonly resolved: boolean;
  /** Instances that are left out because they fail their checks. */
  readonly failing: number;
  readonly instances: readonly InstanceStatus[];
}

/** How a process that serves is. */
export interface EngineStatus {
  readonly pid: number;
  readonly ready: boolean;
  readonly why?: string;
  /** Requests in flight, and open connections of clients. */
  readonly inFlight: number;
  readonly connections: number;
  readonly upstreams: readonly UpstreamStatus[];
}

/** What serves: an engine in this process, or one in each worker. */
export interface Engines {
  /** Serves the configuration from now on, everywhere or nowhere: rejects if one cannot, and nothing has changed then. */
  apply(serving: Serving): Promise<void>;
  /** Handshakes take these certificates from now on. */
  renew(tls: Materials): Promise<void>;
  /** Each that runs. */
  status(): Promise<readonly EngineStatus[]>;
  /** Metrics of all. */
  readonly metrics: HttpService;
  /** Decision records; undefined where none are made. */
  readonly explain: HttpService;
}
