/** What is special about a field, as bits. Zero for a plain one: the codecs then need not look at it again. */
export const trait = {
  /** The name is not a lower-case token, or the value holds what no value may (RFC 9113 section 8.2.1). */
  malformed: 1,
  /** The name starts with a colon. */
  pseudo: 2,
  /** It is about an HTTP/1.1 connection and has no place here (RFC 9113 section 8.2.2). */
  connection: 4,
  /** The message's meaning depends on it: `content-length`, `host`, `cookie`, `expect`. */
  framing: 8,
} as const;

const nameCharacters = characterTable("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz");
const connectionNames = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
const framingNames = new Set(['content-length', 'host', 'cookie', 'expect']);

/** A field as tables hold it: judged once, when it is made, however often it is referred to. */
export class HeaderField {
  readonly name: string;
  /** Octets as characters 0 to 255. */
  readonly value: string;
  /** What it counts in a table and in a header list: its octets and 32 more (RFC 7541 section 4.1). */
  readonly size: number;
  /** Bits of `trait`. */
  readonly traits: number;

  constructor(name: string, value: string) {
    this.name = name;
    this.value = value;
    this.size = name.length + value.length + 32;
    this.traits = traitsOf(name, value);
  }
}

/** The bits of `trait` that hold for this name and value. */
export function traitsOf(name: string, value: string): number {
  if (!isFieldValue(value)) return trait.malformed;
  if (name.charCodeAt(0) === 0x3a) return trait.pseudo;
  if (!isFieldName(name)) return trait.malformed;
  if (connectionNames.has(name) || (name === 'te' && value.toLowerCase() !== 'trailers'))
    return trait.connection;
  return framingNames.has(name) ? trait.framing : 0;
}

/** A token (RFC 9110 section 5.6.2) without upper-case letters. */
export function isFieldName(name: string): boolean {
  for (let at = 0; at < name.length; at++) if (nameCharacters[name.charCodeAt(at)] !== 1) return false;
  return name.length > 0;
}

/** No control character but HTAB, nothing beyond one octet, no white space at either end (RFC 9113 section 8.2.1). */
export function isFieldValue(value: string): boolean {
  const { length } = value;
  if (length === 0) return true;
  for (let at = 0; at < length; at++) {
    const code = value.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return !isBlank(value.charCodeAt(0)) && !isBlank(value.charCodeAt(length - 1));
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function characterTable(allowed: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of allowed) table[character.charCodeAt(0)] = 1;
  return table;
}
