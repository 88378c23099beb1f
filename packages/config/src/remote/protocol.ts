// The centre's HTTP protocol, version 1. JSON in both directions; {place} is three segments of the path.
//
//   GET  /v1/config                                 { places: ["prod/shop/order", …] }
//   GET  /v1/config/{place}                         { version: ConfigVersion | null }
//   GET  /v1/config/{place}/versions?after=&limit=  { versions: [ConfigVersion, …] }
//   GET  /v1/config/{place}/watch?after=            WatchLine, WatchLine … one for each line
//   POST /v1/config/{place}                         ChangeBody -> { version } or, with dryRun, ChangePlan
//
// Anything that fails: a fitting status and { error: { code, reason, message } }.

/** What a watch says: a version when it is known, else how far the place is; `alive` when nothing happens. */
export interface WatchLine {
  readonly version?: unknown;
  readonly head?: number;
  readonly alive?: true;
}

/** How often a server sends a line when nothing happens. */
export const aliveEveryMs: number = 5000;

/** A client that has heard nothing for this long takes the connection for broken. */
export const silenceMs: number = 3 * aliveEveryMs;

/** Largest body of a request: two times the values of a place, and words. */
export const longestBodyBytes: number = 1024 * 1024;

/** Most versions in an answer. */
export const largestPage = 100;
