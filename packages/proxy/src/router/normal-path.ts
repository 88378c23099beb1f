/** A request target's path in its one normal form, or why it has none. */
export type NormalPath =
  | {
      readonly ok: true;
      readonly path: string /** With the `?`, as it came; empty if there is none. */;
      readonly query: string;
    }
  | { readonly ok: false; readonly why: string };

// Letters, digits, "-", ".", "_", "~": percent-encoding them means nothing (RFC 3986 section 2.3).
const unreserved = /^[A-Za-z0-9\-._~]$/;
// Space and controls; what is not ASCII must come encoded; a backslash is a slash to some servers; "#" is no part of a target.
const forbidden = /[^\x21-\x7e]|[\\#]/;

/**
 * Brings the path of an origin-form target into the one form that routes and policies are matched against, and that
 * is forwarded: what is decided on is what the upstream gets. Refused is what two servers could read differently:
 * raw controls and non-ASCII, backslash, malformed `%`, encoded controls, encoded `/` and `\`, `;` in a segment,
 * a doubly encoded byte, dot segments that leave the root.
 *
 * Unreserved characters are decoded once, other percent triplets get upper-case digits, repeated slashes are merged,
 * dot segments removed (RFC 3986 sections 5.2.4 and 6.2.2). The query is passed on as it came.
 */
export function normalPath(target: string): NormalPath {
  if (!target.startsWith('/')) return refuse('a target starts with "/"');
  const question = target.indexOf('?');
  const raw = question === -1 ? target : target.slice(0, question);
  const query = question === -1 ? '' : target.slice(question);
  if (forbidden.test(target)) return refuse('a target consists of visible ASCII, without "\\" and "#"');
  const decoded = decodeOnce(raw);
  if (typeof decoded !== 'string') return decoded;
  const path = withoutDots(decoded.replace(/\/{2,}/g, '/'));
  return path === undefined ? refuse('the dot segments lead above the root') : { ok: true, path, query };
}

const slash = 0x2f;
const dot = 0x2e;
/** What a character of a target means for `isNormal`, by its code. */
const [plain, ofPaths, question, refused] = [0, 1, 2, 3];
const meanings = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  if (forbidden.test(char)) return refused;
  if (char === '?') return question;
  return char === '%' || char === ';' ? ofPaths : plain;
});

/**
 * True for a target that `normalPath` would give back as it is, since there is nothing to refuse, decode, merge or remove:
 * nearly every one, found out in one look at each character. False says nothing.
 */
export function isNormal(target: string): boolean {
  if (target.charCodeAt(0) !== slash) return false;
  let last = plain;
  let before = 0;
  for (let at = 0; at < target.length; at++) {
    const code = target.charCodeAt(at);
    const meaning = code < 128 ? (meanings[code] as number) : refused;
    if (last === question) {
      if (meaning === refused) return false;
      continue;
    }
    if (meaning === ofPaths || meaning === refused) return false;
    if (before === slash && (code === slash || code === dot)) return false;
    last = meaning;
    before = code;
  }
  return true;
}

function decodeOnce(path: string): string | { readonly ok: false; readonly why: string } {
  if (path.includes(';')) return refuse('";" in a path means different things to different servers');
  let why: string | undefined;
  const decoded = path.replace(/%(.{0,2})/g, (triplet, digits: string) => {
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) why ??= `${JSON.stringify(triplet)} is not a percent triplet`;
    const byte = Number.parseInt(digits, 16);
    const char = String.fromCharCode(byte);
    if (byte < 0x20 || byte === 0x7f) why ??= `${triplet} encodes a control character`;
    if (char === '/' || char === '\\') why ??= `${triplet} encodes a slash`;
    if (char === ';') why ??= `${triplet} encodes ";"`;
    return unreserved.test(char) ? char : triplet.toUpperCase();
  });
  // Looked for in the result: decoding a letter may have completed it.
  if (/%25[0-9A-Fa-f]{2}/.test(decoded)) why ??= 'a byte is percent-encoded twice';
  return why === undefined ? decoded : refuse(why);
}

function withoutDots(path: string): string | undefined {
  const kept: string[] = [];
  const segments = path.slice(1).split('/');
  const last = segments.at(-1);
  for (const segment of segments) {
    if (segment === '.') continue;
    if (segment !== '..') kept.push(segment);
    else if (kept.pop() === undefined) return undefined;
  }
  // "/a/." and "/a/b/.." name the folder, which ends in a slash.
  if ((last === '.' || last === '..') && kept.at(-1) !== '') kept.push('');
  return `/${kept.join('/')}`;
}

function refuse(why: string): { readonly ok: false; readonly why: string } {
  return { ok: false, why };
}

/** `/api/` and `/api` are one prefix. */
export function withoutSlash(prefix: string): string {
  return prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
}
