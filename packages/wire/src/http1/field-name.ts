/**
 * Field names that steer the engine itself. The parser meets them by number, so that no string is compared.
 * All other known names only save an allocation.
 */
export const steeringNames = [
  'content-length',
  'transfer-encoding',
  'connection',
  'host',
  'expect',
  'upgrade',
  'keep-alive',
  'proxy-connection',
  'te',
  'http2-settings',
] as const;

/** Position in `steeringNames`. */
export const CONTENT_LENGTH = 0;
/** Position in `steeringNames`. */
export const TRANSFER_ENCODING = 1;
/** Position in `steeringNames`. */
export const CONNECTION = 2;
/** Position in `steeringNames`. */
export const HOST = 3;
/** Position in `steeringNames`. */
export const EXPECT = 4;
/** Position in `steeringNames`. */
export const UPGRADE = 5;
/** The first of those that are about this connection only: dropped without another look. */
export const KEEP_ALIVE = 6;
/** The last of them, and the last of all steering names. */
export const HTTP2_SETTINGS = 9;

const otherNames =
  'accept accept-encoding accept-language accept-ranges access-control-allow-origin age allow authorization baggage ' +
  'cache-control content-disposition content-encoding content-language content-range content-security-policy ' +
  'content-type cookie date dnt etag expires forwarded grpc-accept-encoding grpc-encoding grpc-status grpc-timeout ' +
  'idempotency-key if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link location ' +
  'origin pragma priority proxy-authenticate proxy-authorization range referer retry-after sec-ch-ua ' +
  'sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user ' +
  'sec-websocket-accept sec-websocket-extensions sec-websocket-key sec-websocket-protocol sec-websocket-version ' +
  'server server-timing set-cookie strict-transport-security trace-id traceparent tracestate trailer ' +
  'upgrade-insecure-requests user-agent vary via warning www-authenticate x-content-type-options x-correlation-id ' +
  'x-forwarded-for x-forwarded-host x-forwarded-proto x-frame-options x-real-ip x-request-id x-tenant-id x-user-id';

/** All known names; those of `steeringNames` first. */
export const knownNames: readonly string[] = [...steeringNames, ...otherNames.split(' ')];

function bucketOf(length: number, first: number, middle: number, last: number): number {
  return (length * 37 + first * 7 + middle * 11 + last * 3) & 0xff;
}

const codes: readonly Uint8Array[] = knownNames.map((name) => Buffer.from(name));

const buckets: readonly (readonly number[])[] = (() => {
  const made: number[][] = Array.from({ length: 256 }, () => []);
  for (const [index, name] of codes.entries()) {
    const { length } = name;
    made[bucketOf(length, lower(name, 0), lower(name, length >> 1), lower(name, length - 1))]?.push(index);
  }
  return made;
})();

/**
 * The lower case of a letter; digits and the hyphen as they are. Other bytes may become anything but never one of
 * these, as long as they are of those that a name may have: so comparing this is comparing without case.
 */
function lower(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | 0x20;
}

/** The position in `knownNames` of the name at `start` to `end` (not included, not empty), in any case; else -1. */
export function knownName(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const slot = bucketOf(
    length,
    lower(bytes, start),
    lower(bytes, start + (length >> 1)),
    lower(bytes, end - 1),
  );
  const bucket = buckets[slot] as readonly number[];
  for (let i = 0; i < bucket.length; i++) {
    const index = bucket[i] as number;
    const name = codes[index] as Uint8Array;
    if (name.length !== length) continue;
    let at = 0;
    while (at < length && lower(bytes, start + at) === name[at]) at++;
    if (at === length) return index;
  }
  return -1;
}
