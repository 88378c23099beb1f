import { consistsOf, hostOctets } from './octets.ts';

/**
 * True for `uri-host [ ":" port ]` with a host that is not empty (RFC 9110 section 7.2): a name, an IPv4 address, or
 * something in brackets. No user information.
 */
export function isAuthority(text: string): boolean {
  if (!consistsOf(text, hostOctets)) return false;
  const colon = text.startsWith('[') ? bracketEnd(text) : nameEnd(text);
  return colon > 0 && (colon === text.length || isPort(text, colon));
}

// Between a proxy and its upstreams it is the same from request to request.
let good = '';

/** As `isAuthority`, for where the same is asked again and again. */
export function isAuthorityAgain(text: string): boolean {
  if (text === good && text !== '') return true;
  if (!isAuthority(text)) return false;
  good = text;
  return true;
}

/** `text` in lower case, without the port if it is the default one of plain HTTP: for comparing two. */
export function normalAuthority(text: string): string {
  const lower = text.toLowerCase();
  return lower.endsWith(':80') ? lower.slice(0, -3) : lower;
}

function nameEnd(text: string): number {
  if (text.includes('[') || text.includes(']')) return 0;
  const colon = text.indexOf(':');
  return colon < 0 ? text.length : colon;
}

function bracketEnd(text: string): number {
  const end = text.indexOf(']');
  const inside = text.slice(1, end);
  const plain = end > 2 && !inside.includes('[') && inside.includes(':');
  return plain && text.lastIndexOf(']') === end ? end + 1 : 0;
}

function isPort(text: string, colon: number): boolean {
  if (text.charCodeAt(colon) !== 0x3a || text.length - colon > 6) return false;
  for (let at = colon + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
  }
  const port = Number(text.slice(colon + 1));
  return text.length > colon + 1 && port >= 1 && port <= 65_535;
}
