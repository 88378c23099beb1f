// What each byte may be, prepared once: the parser asks a table, never a chain of comparisons. An entry is 1 where
// the byte is allowed.

/** Horizontal tab. */
export const HTAB = 0x09;
/** Line feed. */
export const LF = 0x0a;
/** Carriage return. */
export const CR = 0x0d;
/** Space. */
export const SP = 0x20;
/** `:` */
export const COLON = 0x3a;
/** `;` */
export const SEMICOLON = 0x3b;

const DEL = 0x7f;

function table(allowed: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (allowed(code) ? 1 : 0));
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isLetter = (code: number): boolean => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;

/** `tchar` of RFC 9110 section 5.6.2: what methods, field names and codings are made of. */
export const tokenOctets: Uint8Array = table(
  (code) =>
    isDigit(code) || (code < 128 && isLetter(code)) || "!#$%&'*+-.^_`|~".includes(String.fromCharCode(code)),
);

/** The value of Upgrade: a token, and after a slash a version. */
export const upgradeOctets: Uint8Array = tokenOctets.slice();
upgradeOctets[0x2f] = 1;

/** Field values (RFC 9110 section 5.5): visible, obs-text, space and tab. No other control, not DEL. */
export const valueOctets: Uint8Array = table((code) => code === HTAB || (code >= SP && code !== DEL));

/** Request targets: visible ASCII. A fragment is never sent (RFC 9112 section 3.2), so `#` is not one of them. */
export const targetOctets: Uint8Array = table((code) => code > SP && code < 0x7f && code !== 0x23);

/**
 * Host names and ports: what RFC 3986 calls unreserved, percent, colon and brackets. Its `sub-delims` are left out:
 * no real host has them, and a comma or a semicolon there is read as a list by others.
 */
export const hostOctets: Uint8Array = table(
  (code) => isDigit(code) || (code < 128 && isLetter(code)) || '-._~%:[]'.includes(String.fromCharCode(code)),
);

/** The value of a hexadecimal digit, -1 for all else. */
export const hexValues: Int8Array = Int8Array.from({ length: 256 }, (_, code) => {
  if (isDigit(code)) return code - 0x30;
  const lower = code | 0x20;
  return code < 128 && lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
});

type Latin1Slice = (this: Uint8Array, start: number, end: number) => string;

// What `toString` of a `Buffer` comes down to. A `Buffer` made just for it costs more than reading a whole small head.
const { latin1Slice } = Buffer.prototype as unknown as { readonly latin1Slice: Latin1Slice };

/** `bytes[start, end)` as text, one character for each byte. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end);
}

/** True if every character of `text` is allowed by the table, and there is at least one. */
export function consistsOf(text: string, allowed: Uint8Array): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0xff || allowed[code] !== 1) return false;
  }
  return text.length > 0;
}
