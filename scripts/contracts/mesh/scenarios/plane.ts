import type { MeshModel } from '@heddle/mesh/model';

/** What came of a call. */
export interface Said {
  /** Of gRPC; 0: it was answered. */
  readonly code: number;
  /** Which backend has answered; empty for none. */
  readonly from: string;
  readonly details: string;
  readonly tookMs: number;
}

/** How a call is made. */
export interface Ask {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Default 30 s. */
  readonly timeoutMs?: number;
}

/** A client side under rules: whatever enforces them. */
export interface ClientPlane {
  /** Follows this model from now on; what it does by then is a matter of time. */
  apply(model: MeshModel): void;
  /** Calls `order`. */
  say(ask?: Ask): Promise<Said>;
  close(): Promise<void>;
}

/** A server side under rules, before a backend, and callers of different identities. */
export interface ServerPlane {
  apply(model: MeshModel): void;
  /** As the caller of that service account; undefined: without any certificate. */
  say(account: string | undefined, ask?: Ask): Promise<Said>;
  close(): Promise<void>;
}
