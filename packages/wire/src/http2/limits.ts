/** What one connection may cost. Every limit holds for both roles unless it says otherwise. */
export interface Http2Limits {
  /** Streams that the peer may have open at once, SETTINGS_MAX_CONCURRENT_STREAMS (server). Default 100. */
  readonly maxConcurrentStreams: number;
  /** A header section after decoding, each field counting 32 more, as SETTINGS_MAX_HEADER_LIST_SIZE. Default 32 KiB. */
  readonly maxHeaderListBytes: number;
  /** Fields in a header section after decoding, every cookie crumb counted. Default 200. */
  readonly maxHeaderFields: number;
  /** A header block before decoding, over all its frames. Default 64 KiB. */
  readonly maxHeaderBlockBytes: number;
  /** CONTINUATION frames in one block, empty ones too. Default 16. */
  readonly maxContinuations: number;
  /** Informational answers before a final one (client). Default 16. */
  readonly maxInformational: number;
  /** Unread bytes that a stream may hold at first. Default 64 KiB - 1, the protocol's own. */
  readonly streamWindowBytes: number;
  /** What the window of a stream whose reader keeps up grows to. Default 512 KiB. */
  readonly maxStreamWindowBytes: number;
  /** Unread bytes that all streams together may hold. Default 1 MiB. */
  readonly connectionWindowBytes: number;
  /** Output that waits for the peer to read, other than content, before the connection is dropped. Default 1 MiB. */
  readonly maxQueuedBytes: number;
  /** Streams that the peer resets: this many at once, and so many a second. Default 200 and 50. */
  readonly resetBurst: number;
  readonly resetsPerSecond: number;
  /** Streams that the peer makes us reset by breaking the protocol. Default 50 and 20. */
  readonly faultBurst: number;
  readonly faultsPerSecond: number;
  /**
   * Frames that carry no work (SETTINGS, PING, PRIORITY, WINDOW_UPDATE, empty DATA, unknown types): this many at once,
   * and so many a second; each request, and each frame of content in either direction, allows four more.
   * Default 1000 and 100.
   */
  readonly controlBurst: number;
  readonly controlsPerSecond: number;
  /** From the connection's start to the peer's first SETTINGS, and to each acknowledgement of ours. Default 10 s. */
  readonly settingsTimeoutMs: number;
  /** From the first frame of a header block to its last. Default 10 s. */
  readonly headerTimeoutMs: number;
  /** Without any stream, before the connection is closed (server). Default 300 s. */
  readonly idleTimeoutMs: number;
  /** Without a byte of a request's content, as long as the response has not begun (server). Default 60 s. */
  readonly bodyTimeoutMs: number;
  /** Content waits for the peer to open a window or to read, without any progress. Default 60 s. */
  readonly sendTimeoutMs: number;
  /** From the last frame to the end of the connection: time for the peer to read why. Default 1 s. */
  readonly lingerMs: number;
  /** Silence while a stream is open, before the server is asked by a PING whether it is there; 0: never (client). Default 0. */
  readonly keepaliveMs: number;
  /** The same while no stream is open. Servers may take it amiss. Default 0. */
  readonly keepaliveIdleMs: number;
  /** From such a PING to the first byte of whatever comes, before the connection is dropped. Default 20 s. */
  readonly keepaliveTimeoutMs: number;
  /**
   * PINGs of the peer that come closer together than this while a stream is open: more than two of them without work in
   * between are too many. 0: only `controlBurst` bounds them. Default 0; gRPC has 300,000.
   */
  readonly minPingMs: number;
  /** The same while no stream is open. Default 0; gRPC has 7,200,000. */
  readonly minIdlePingMs: number;
}

/** Fit for the edge of a mesh: small enough for strangers, large enough for everybody else. */
export const defaultLimits: Http2Limits = {
  maxConcurrentStreams: 100,
  maxHeaderListBytes: 32 * 1024,
  maxHeaderFields: 200,
  maxHeaderBlockBytes: 64 * 1024,
  maxContinuations: 16,
  maxInformational: 16,
  streamWindowBytes: 65_535,
  maxStreamWindowBytes: 512 * 1024,
  connectionWindowBytes: 1024 * 1024,
  maxQueuedBytes: 1024 * 1024,
  resetBurst: 200,
  resetsPerSecond: 50,
  faultBurst: 50,
  faultsPerSecond: 20,
  controlBurst: 1000,
  controlsPerSecond: 100,
  settingsTimeoutMs: 10_000,
  headerTimeoutMs: 10_000,
  idleTimeoutMs: 300_000,
  bodyTimeoutMs: 60_000,
  sendTimeoutMs: 60_000,
  lingerMs: 1000,
  keepaliveMs: 0,
  keepaliveIdleMs: 0,
  keepaliveTimeoutMs: 20_000,
  minPingMs: 0,
  minIdlePingMs: 0,
};
