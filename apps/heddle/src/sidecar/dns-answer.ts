/** How long resolvers may keep an answer: services come and go. */
const ttlSeconds = 5;
const headerBytes = 12;
const types = { A: 1, any: 255 };
const internet = 1;

/** Gives the address of a name in lower case, without the dot at its end; undefined for one that is not ours. */
export type AddressOf = (name: string) => string | undefined;

/**
 * The answer to a query for one of our names (RFC 1035): its address, or that it has nothing of the type that is asked
 * for. Undefined for queries about other names, and for bytes that are no query.
 */
export function dnsAnswer(query: Uint8Array, addressOf: AddressOf): Uint8Array | undefined {
  const asked = questionOf(query);
  if (asked === undefined) return undefined;
  const address = addressOf(asked.name);
  if (address === undefined) return undefined;
  const record =
    asked.type === types.A || asked.type === types.any
      ? [
          0xc0,
          headerBytes,
          0,
          types.A,
          0,
          internet,
          0,
          0,
          0,
          ttlSeconds,
          0,
          4,
          ...address.split('.').map(Number),
        ]
      : [];
  const recursionDesired = (query[2] ?? 0) & 1;
  // Response, authoritative; recursion is to be had here.
  const flags = [0x84 | recursionDesired, 0x80];
  const counts = [0, 1, 0, record.length > 0 ? 1 : 0, 0, 0, 0, 0];
  const question = query.subarray(headerBytes, asked.end);
  return Uint8Array.from([query[0] ?? 0, query[1] ?? 0, ...flags, ...counts, ...question, ...record]);
}

/** An answer that nobody could be asked (SERVFAIL). Undefined for bytes that are no query. */
export function dnsFailure(query: Uint8Array): Uint8Array | undefined {
  const asked = questionOf(query);
  if (asked === undefined) return undefined;
  const flags = [0x80 | ((query[2] ?? 0) & 1), 0x80 | 2];
  const question = query.subarray(headerBytes, asked.end);
  return Uint8Array.from([query[0] ?? 0, query[1] ?? 0, ...flags, 0, 1, 0, 0, 0, 0, 0, 0, ...question]);
}

interface Question {
  readonly name: string;
  readonly type: number;
  /** Where it ends. */
  readonly end: number;
}

/** The question of a standard query with one; undefined for anything else. */
function questionOf(query: Uint8Array): Question | undefined {
  const [, , flags = 0, , countHigh, countLow] = query;
  const isQuery = (flags & 0xf8) === 0;
  if (!isQuery || countHigh !== 0 || countLow !== 1) return undefined;
  const labels: string[] = [];
  let at = headerBytes;
  for (;;) {
    const length = query[at];
    // Nothing comes before the question that a pointer could point to.
    if (length === undefined || length > 63) return undefined;
    at += 1;
    if (length === 0) break;
    if (at + length > query.length) return undefined;
    labels.push(String.fromCharCode(...query.subarray(at, at + length)).toLowerCase());
    at += length;
  }
  const [typeHigh, typeLow, , family] = query.subarray(at, at + 4);
  if (typeHigh === undefined || typeLow === undefined || family !== internet) return undefined;
  return { name: labels.join('.'), type: typeHigh * 256 + typeLow, end: at + 4 };
}

/** Finds names, those below a `*.` too. */
export function addressIn(names: ReadonlyMap<string, string>): AddressOf {
  return (name) => {
    const exact = names.get(name);
    if (exact !== undefined) return exact;
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      const found = names.get(`*${name.slice(dot)}`);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}
