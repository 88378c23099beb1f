import { isIP } from 'node:net';

// Letters, digits, hyphens and the underscore that names inside clusters have (RFC 1123 section 2.1); labels up to 63.
const hostName =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Lower case and without the dot at the end, as names are compared; undefined for what is no host name in ASCII. */
export function normalName(name: string): string | undefined {
  const plain = (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
  // Lower case of some letters outside ASCII is inside: the Kelvin sign's is k. So the length and the original count.
  return hostName.test(plain) && /^[\x21-\x7e]+$/.test(name) && isIP(plain) === 0 ? plain : undefined;
}

/** Values by host name: an exact name, or a wildcard for exactly one label (RFC 6125 section 6.4.3). */
export class NameTable<T> {
  readonly #exact = new Map<string, T>();
  readonly #wild = new Map<string, T>();

  /** The first to claim a name keeps it. What is neither a name nor a wildcard for one label is passed over. */
  add(pattern: string, value: T): void {
    const wild = pattern.startsWith('*.');
    const name = normalName(wild ? pattern.slice(2) : pattern);
    const table = wild ? this.#wild : this.#exact;
    if (name !== undefined && !table.has(name)) table.set(name, value);
  }

  /** For a name as a client sent it, whatever that is. Never throws. */
  find(asked: string): T | undefined {
    const name = normalName(asked);
    if (name === undefined) return undefined;
    const dot = name.indexOf('.');
    return this.#exact.get(name) ?? (dot < 0 ? undefined : this.#wild.get(name.slice(dot + 1)));
  }
}

/** The subject alternative names of a certificate, by kind (`DNS`, `URI`, …), from the form in which Node prints them. */
export function alternativeNames(printed: string | undefined): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  let rest = printed ?? '';
  while (rest.length > 0) {
    const colon = rest.indexOf(':');
    if (colon < 0) break;
    const kind = rest.slice(0, colon);
    const { value, after } = takeName(rest.slice(colon + 1));
    const list = names.get(kind) ?? [];
    list.push(value);
    names.set(kind, list);
    rest = after;
  }
  return names;
}

/** A name with anything odd in it is printed as a JSON string (CVE-2021-44532), so that none can pass for two. */
function takeName(text: string): { value: string; after: string } {
  const quoted = /^"(?:[^"\\]|\\.)*"/.exec(text)?.[0];
  if (quoted !== undefined) {
    return { value: String(JSON.parse(quoted)), after: text.slice(quoted.length).replace(/^, /, '') };
  }
  const end = text.indexOf(', ');
  return end < 0 ? { value: text, after: '' } : { value: text.slice(0, end), after: text.slice(end + 2) };
}
