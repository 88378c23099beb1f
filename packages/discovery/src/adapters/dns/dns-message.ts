// DNS messages on the wire: RFC 1035 section 4, SRV by RFC 2782, AAAA by RFC 3596, EDNS(0) by RFC 6891.
import { HeddleError } from '@heddle/kernel';

/** The types that are asked for, and those that come with them. */
export const recordTypes = { A: 1, CNAME: 5, SOA: 6, AAAA: 28, SRV: 33 } as const;
/** One of them. */
export type RecordType = keyof typeof recordTypes;

/** A record that is understood. Names are lower case, without the last dot; `data` of A and AAAA is an IP literal. */
export type DnsRecord = { readonly name: string; readonly ttlSeconds: number } & (
  | { readonly type: 'A' | 'AAAA' | 'CNAME'; readonly data: string }
  /** `data` is how long a negative answer may be kept at most, in seconds (RFC 2308). */
  | { readonly type: 'SOA'; readonly data: number }
  | { readonly type: 'SRV'; readonly data: SrvData }
);

/** Where a service is, and how much of the load it takes. */
export interface SrvData {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** An answer. Records of other types are left out. */
export interface DnsMessage {
  readonly id: number;
  readonly isResponse: boolean;
  /** There is more than fits: ask again by TCP. */
  readonly truncated: boolean;
  /** 0: no error; 2: SERVFAIL; 3: NXDOMAIN. */
  readonly rcode: number;
  readonly question: { readonly name: string; readonly type: number } | undefined;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

/** What a server may send by UDP: fits into one frame everywhere (DNS flag day 2020). */
export const udpPayloadBytes = 1232;
const internet = 1;
const opt = 41;

/** A recursive question. Throws `invalid_argument` / `BAD_DNS_NAME`. */
export function encodeQuery(id: number, name: string, type: RecordType): Uint8Array {
  const bytes = [...uint16(id), 0x01, 0x00, ...[1, 0, 0, 1].flatMap(uint16)];
  bytes.push(...encodeName(name), ...uint16(recordTypes[type]), ...uint16(internet));
  bytes.push(0, ...uint16(opt), ...uint16(udpPayloadBytes), 0, 0, 0, 0, 0, 0);
  return Uint8Array.from(bytes);
}

/** Throws `data_loss` / `BAD_DNS_MESSAGE` for what is cut off, or points where it must not. */
export function decodeMessage(bytes: Uint8Array): DnsMessage {
  const reader = new Reader(bytes);
  const id = reader.uint16();
  const flags = reader.uint16();
  const [questions, answers, authorities, additionals] = [0, 0, 0, 0].map(() => reader.uint16());
  let question: DnsMessage['question'];
  for (let at = 0; at < (questions ?? 0); at++) {
    question = { name: reader.name(), type: reader.uint16() };
    reader.uint16();
  }
  const section = (count = 0): DnsRecord[] => {
    const found: DnsRecord[] = [];
    for (let at = 0; at < count; at++) {
      const record = reader.record();
      if (record !== undefined) found.push(record);
    }
    return found;
  };
  const truncated = (flags & 0x0200) !== 0;
  return {
    id,
    isResponse: (flags & 0x8000) !== 0,
    truncated,
    rcode: flags & 0x000f,
    question,
    // What was cut off is asked for again anyway.
    answers: truncated ? [] : section(answers),
    authorities: truncated ? [] : section(authorities),
    additionals: truncated ? [] : section(additionals),
  };
}

/** Reads from the front. Every step checks that there is as much. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  uint16(): number {
    return this.#byte() * 256 + this.#byte();
  }

  /** Undefined: of a type that is of no interest. */
  record(): DnsRecord | undefined {
    const name = this.name();
    const type = this.uint16();
    const family = this.uint16();
    const ttl = this.uint16() * 65_536 + this.uint16();
    // The highest bit set means 0 (RFC 2181 section 8).
    const ttlSeconds = ttl > 0x7fff_ffff ? 0 : ttl;
    const end = this.uint16() + this.#at;
    if (end > this.#bytes.length) throw badMessage('a whole record');
    const record = family === internet ? this.#data(type, end) : undefined;
    this.#at = end;
    return record && ({ name, ttlSeconds, ...record } as DnsRecord);
  }

  #data(type: number, end: number): { readonly type: RecordType; readonly data: unknown } | undefined {
    switch (type) {
      case recordTypes.A:
        return { type: 'A', data: this.#list(end, 4, () => this.#byte()).join('.') };
      case recordTypes.AAAA:
        return { type: 'AAAA', data: this.#list(end, 16, () => this.uint16().toString(16)).join(':') };
      case recordTypes.CNAME:
        return { type: 'CNAME', data: this.name() };
      case recordTypes.SRV: {
        const [priority, weight, port] = [this.uint16(), this.uint16(), this.uint16()];
        return { type: 'SRV', data: { priority, weight, port, target: this.name() } };
      }
      case recordTypes.SOA: {
        this.name();
        this.name();
        this.#at += 16;
        return { type: 'SOA', data: this.uint16() * 65_536 + this.uint16() };
      }
      default:
        return undefined;
    }
  }

  #list<T>(end: number, size: number, read: () => T): T[] {
    if (end - this.#at !== size) throw badMessage(`an address of ${size} bytes`);
    const found: T[] = [];
    while (this.#at < end) found.push(read());
    return found;
  }

  /** A name may end in a pointer to an earlier one; each must point further back, so there is no way in a circle. */
  name(): string {
    const labels: string[] = [];
    let total = 0;
    let resumeAt: number | undefined;
    let earliest = this.#at;
    for (;;) {
      const length = this.#byte();
      if (length === 0) break;
      if (length >= 0xc0) {
        const target = (length & 0x3f) * 256 + this.#byte();
        if (target >= earliest) throw badMessage('a pointer to something earlier');
        resumeAt ??= this.#at;
        earliest = target;
        this.#at = target;
        continue;
      }
      if (length > 63) throw badMessage('a label of at most 63 bytes');
      total += length + 1;
      if (total > 254) throw badMessage('a name of at most 255 bytes');
      let label = '';
      for (let at = 0; at < length; at++) label += String.fromCharCode(this.#byte());
      labels.push(label.toLowerCase());
    }
    if (resumeAt !== undefined) this.#at = resumeAt;
    return labels.join('.');
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw badMessage('more bytes');
    return byte;
  }
}

function encodeName(name: string): number[] {
  const labels = name.replace(/\.$/, '').split('.');
  const bytes = labels.flatMap((label) => {
    if (!/^[\x21-\x7e]{1,63}$/.test(label)) throw badName(name);
    return [label.length, ...Array.from(label, (sign) => sign.charCodeAt(0))];
  });
  if (bytes.length > 254) throw badName(name);
  return [...bytes, 0];
}

function uint16(value: number): number[] {
  return [(value >>> 8) & 0xff, value & 0xff];
}

function badName(name: string): HeddleError {
  const message = `expected a DNS name of labels of 1 to 63 visible ASCII characters, found ${JSON.stringify(name)}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_DNS_NAME', message, sent: false });
}

function badMessage(expected: string): HeddleError {
  const message = `expected ${expected} in an answer of a DNS server, found something else`;
  return new HeddleError({ code: 'data_loss', reason: 'BAD_DNS_MESSAGE', message });
}
