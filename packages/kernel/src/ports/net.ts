import type { TlsByNameOptions, TlsConnectOptions, TlsListenOptions, TlsSession } from './tls.ts';

/** Where something listens. `host` is a name or an IP literal without brackets. */
export interface Address {
  readonly host: string;
  /** 1 to 65535; 0 only in `listen`, where it asks for any free port. */
  readonly port: number;
}

/** What a connection tells its owner. All calls come one at a time, never from within `write`. */
export interface ConnectionHandler {
  /** Bytes have come. The chunk belongs to the handler from now on. */
  data(chunk: Uint8Array): void;
  /** The peer has finished sending; writing may go on. */
  end(): void;
  /** After `write` returned false: the queue is empty again. */
  drain(): void;
  /** Nothing more will happen. Comes exactly once, last. With an error if the connection broke. */
  close(error: Error | undefined): void;
}

/** A reliable, ordered stream of bytes in both directions. */
export interface Connection {
  readonly local: Address;
  readonly remote: Address;
  /** What the TLS handshake has found out; undefined on a connection without TLS. */
  readonly tls?: TlsSession | undefined;
  /** TLS of this connection is not ended here (see `TlsByNameOptions`): what its client asks for. */
  readonly passed?: { readonly serverName: string | undefined } | undefined;
  /** Starts the flow of events. Must be called once, in the turn in which the connection was handed over. */
  open(handler: ConnectionHandler): void;
  /**
   * Queues bytes, which must not change until the system has taken them: at the latest when `pendingBytes` is 0, which
   * it mostly is at once. False: the queue is long, wait for `drain`. Dropped once closed.
   */
  write(chunk: Uint8Array): boolean;
  /** As `write`, for chunks that go out together, without a copy where the system can do that. */
  writeAll(chunks: readonly Uint8Array[]): boolean;
  /** Bytes queued and not yet taken by the system. */
  readonly pendingBytes: number;
  /** Finishes sending, after what is queued. */
  end(): void;
  /** Drops the connection and what is queued. `close` follows. */
  destroy(): void;
  /**
   * Nobody will look again at this chunk that came by `data`, or at this end of one, so its memory may be used for what
   * comes next. At most once for each byte, and only by an owner who has let nobody else see it. A favour, not a duty.
   */
  giveBack(chunk: Uint8Array): void;
  /** No `data` until `resume`: back-pressure reaches the peer. */
  pause(): void;
  resume(): void;
}

/** A place that accepts connections. */
export interface Listener {
  /** With the port that was chosen. */
  readonly address: Address;
  /** Accepts no more; open connections go on. Resolves when the port is free. */
  close(): Promise<void>;
}

/** How to connect. */
export interface ConnectOptions {
  /** Give up after this long, TLS included. Default 5000. */
  readonly timeoutMs?: number;
  /** Speak TLS. A network that cannot rejects with `unimplemented` / `TLS_UNSUPPORTED`; none goes on without. */
  readonly tls?: TlsConnectOptions;
}

/** How to listen. */
export interface ListenOptions {
  /** Speak TLS: a connection is handed over once its handshake is done. As with `ConnectOptions.tls` otherwise. */
  readonly tls?: TlsListenOptions;
  /** The same, for servers of several names. Not together with `tls`. */
  readonly tlsByName?: TlsByNameOptions;
}

/** Sockets. */
export interface Net {
  /**
   * Rejects with `unavailable`, `sent: false`: `CONNECTION_REFUSED`, `CONNECT_TIMEOUT` or `CONNECT_FAILED`.
   *
   * With TLS also `unavailable` / `TLS_HANDSHAKE_FAILED`, and `unauthenticated`, when the server is not who it should
   * be: `CERTIFICATE_NOT_TRUSTED`, `CERTIFICATE_EXPIRED`, `CERTIFICATE_NOT_YET_VALID`, `CERTIFICATE_REVOKED`,
   * `REVOCATION_UNKNOWN`, `NAME_MISMATCH`; or when it does not take us for who we should be:
   * `OWN_CERTIFICATE_REFUSED`. A server of TLS 1.3 may say that only after the client's handshake is done; the connection
   * then closes with that error, and nothing that was written on it has been read. Material that cannot be used is
   * `invalid_argument`: `CERTIFICATE_INVALID`, `KEY_MISMATCH`, `TRUST_MISSING`, `SERVER_NAME_INVALID`.
   */
  connect(address: Address, options?: ConnectOptions): Promise<Connection>;
  /**
   * Rejects with `failed_precondition`: `ADDRESS_IN_USE`, `ADDRESS_NOT_AVAILABLE` or `ADDRESS_DENIED`; with TLS also
   * with `invalid_argument`, as `connect`.
   */
  listen(
    address: Address,
    accept: (connection: Connection) => void,
    options?: ListenOptions,
  ): Promise<Listener>;
}
