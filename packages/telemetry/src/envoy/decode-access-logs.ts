import { ProtobufReader } from '../otlp/protobuf-reader.ts';

/** What Envoy says of one request that it has served. Times in microseconds; those of the upstream are from the start. */
export interface EnvoyEntry {
  method: string;
  authority: string;
  path: string;
  requestId: string;
  /** Of those fields that Envoy was told to log (`additional_request_headers_to_log`). */
  traceparent: string;
  /** 0: there was no answer. */
  status: number;
  startUs: number;
  durationUs: number;
  route: string;
  /** Empty: it was sent to nobody. */
  upstream: string;
  upstreamFromUs: number;
  upstreamToUs: number;
}

/** A message of Envoy's stream. */
export interface EnvoyMessage {
  /** Who sends, as its node says: its cluster, else its id. Only the first message of a stream has it. */
  readonly service: string | undefined;
  readonly entries: readonly EnvoyEntry[];
}

// `envoy.config.core.v3.RequestMethod`.
const methods = ['', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];

/** Decodes a `StreamAccessLogsMessage` (envoy.service.accesslog.v3). Of TCP there is nothing. Throws `BAD_PROTOBUF`. */
export function decodeAccessLogs(bytes: Uint8Array): EnvoyMessage {
  const reader = new ProtobufReader(bytes);
  let service: string | undefined;
  const entries: EnvoyEntry[] = [];
  fields(reader, {
    1: () => {
      service = readIdentifier(reader);
    },
    2: () => nested(reader, { 1: () => entries.push(readEntry(reader)) }),
  });
  return { service, entries };
}

type Readers = Readonly<Record<number, () => void>>;

/** Reads the message that is open; what has no reader is passed over. */
function fields(reader: ProtobufReader, readers: Readers): void {
  while (reader.more) {
    const tag = reader.tag();
    const read = readers[tag >>> 3];
    if (read === undefined) reader.skip(tag);
    else read();
  }
}

function nested(reader: ProtobufReader, readers: Readers): void {
  const outer = reader.open();
  fields(reader, readers);
  reader.close(outer);
}

function readIdentifier(reader: ProtobufReader): string {
  let [id, cluster] = ['', ''];
  const node = {
    1: () => void (id = reader.text()),
    2: () => void (cluster = reader.text()),
  };
  nested(reader, { 1: () => nested(reader, node) });
  return cluster || id || 'envoy';
}

function readEntry(reader: ProtobufReader): EnvoyEntry {
  const entry: EnvoyEntry = {
    method: '',
    authority: '',
    path: '',
    requestId: '',
    traceparent: '',
    status: 0,
    startUs: 0,
    durationUs: 0,
    route: '',
    upstream: '',
    upstreamFromUs: 0,
    upstreamToUs: 0,
  };
  let lastByteUs = 0;
  nested(reader, {
    1: () =>
      nested(reader, {
        5: () => void (entry.startUs = readTimeUs(reader)),
        7: () => void (entry.upstreamFromUs = readTimeUs(reader)),
        10: () => void (entry.upstreamToUs = readTimeUs(reader)),
        12: () => void (lastByteUs = readTimeUs(reader)),
        15: () => void (entry.upstream = reader.text()),
        19: () => void (entry.route = reader.text()),
        23: () => void (entry.durationUs = readTimeUs(reader)),
      }),
    3: () =>
      nested(reader, {
        1: () => void (entry.method = methods[reader.uint()] ?? ''),
        3: () => void (entry.authority = reader.text()),
        5: () => void (entry.path = reader.text()),
        9: () => void (entry.requestId = reader.text()),
        // There when the path was rewritten: what the client had asked for.
        10: () => void (entry.path = reader.text()),
        13: () => readHeader(reader, entry),
      }),
    4: () => nested(reader, { 1: () => nested(reader, { 1: () => void (entry.status = reader.uint()) }) }),
  });
  // Older ones say only when the last byte went.
  if (entry.durationUs === 0) entry.durationUs = lastByteUs;
  return entry;
}

function readHeader(reader: ProtobufReader, entry: EnvoyEntry): void {
  let [name, value] = ['', ''];
  nested(reader, { 1: () => void (name = reader.text()), 2: () => void (value = reader.text()) });
  if (name === 'traceparent') entry.traceparent = value;
}

/** Protobuf's `Timestamp` and `Duration` are alike: seconds and nanoseconds. */
function readTimeUs(reader: ProtobufReader): number {
  let [seconds, nanos] = [0, 0];
  nested(reader, { 1: () => void (seconds = reader.int()), 2: () => void (nanos = reader.int()) });
  return seconds * 1_000_000 + Math.floor(nanos / 1000);
}
