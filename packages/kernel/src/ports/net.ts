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
  /** Starts the flow of events. Must be called once, in the turn in which the connection was handed over. */
  open(handler: ConnectionHandler): void;
  /** Queues bytes, which must not change afterwards. False: the queue is long, wait for `drain`. Dropped once closed. */
  write(chunk: Uint8Array): boolean;
  /** As `write`, for chunks that go out together, without a copy where the system can do that. */
  writeAll(chunks: readonly Uint8Array[]): boolean;
  /** Bytes queued and not yet taken by the system. */
  readonly pendingBytes: number;
  /** Finishes sending, after what is queued. */
  end(): void;
  /** Drops the connection and what is queued. `close` follows. */
  destroy(): void;
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
  /** Give up after this long. Default 5000. */
  readonly timeoutMs?: number;
}

/** Sockets. */
export interface Net {
  /** Rejects with `unavailable`, `sent: false`: `CONNECTION_REFUSED`, `CONNECT_TIMEOUT` or `CONNECT_FAILED`. */
  connect(address: Address, options?: ConnectOptions): Promise<Connection>;
  /** Rejects with `failed_precondition`: `ADDRESS_IN_USE`, `ADDRESS_NOT_AVAILABLE` or `ADDRESS_DENIED`. */
  listen(address: Address, accept: (connection: Connection) => void): Promise<Listener>;
}
