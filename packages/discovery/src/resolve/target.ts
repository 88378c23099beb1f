import { type Address, HeddleError } from '@heddle/kernel';
import { isHost, isServiceName, serviceNameRule } from '../registry/names.ts';

/** Which instances of a service are meant: all conditions must hold. Without any: every one. */
export interface Subset {
  readonly version?: string;
  readonly zone?: string;
  readonly region?: string;
  /** The instance has every one of these. */
  readonly tags: readonly string[];
}

/** Whom to call, as parsed from a target string. `text` is that string. */
export type Target =
  | { readonly kind: 'discovery'; readonly text: string; readonly service: string; readonly subset: Subset }
  | { readonly kind: 'static'; readonly text: string; readonly endpoints: readonly Address[] };

const subsetKeys = ['version', 'zone', 'region', 'tag'] as const;

/**
 * Reads a target, in one of three forms:
 * - `discovery:///user-service?version=v2&tag=api`: what the registry knows under that name, or a subset of it by
 *   `version`, `zone`, `region` (each once) and `tag` (any number; an instance must have all);
 * - `static:///10.0.0.1:8080,[::1]:8080`: these addresses;
 * - `10.0.0.1:8080`, `shop.example:8080`, `[::1]:8080`: this one.
 *
 * Throws `invalid_argument` / `BAD_TARGET`, which names the position (from 0) and has it as a detail of type
 * `heddle.TargetPosition`. Scheme and authority as gRPC's naming document has them (grpc/grpc `doc/naming.md`).
 */
export function parseTarget(text: string): Target {
  const separator = text.indexOf('://');
  if (separator === -1) return { kind: 'static', text, endpoints: [readEndpoint(text, 0, text.length)] };
  const scheme = text.slice(0, separator);
  if (scheme !== 'discovery' && scheme !== 'static') {
    throw badTarget(text, 0, 'the scheme "discovery" or "static", or plain host:port', scheme);
  }
  const path = separator + ':///'.length;
  if (text[path - 1] !== '/') {
    const found = text.slice(path - 1) || 'the end';
    throw badTarget(
      text,
      path - 1,
      `"/": a target of this scheme has no authority, as in ${scheme}:///name`,
      found,
    );
  }
  return scheme === 'static' ? readStatic(text, path) : readDiscovery(text, path);
}

function readStatic(text: string, start: number): Target {
  const endpoints: Address[] = [];
  let at = start;
  for (;;) {
    const comma = text.indexOf(',', at);
    endpoints.push(readEndpoint(text, at, comma === -1 ? text.length : comma));
    if (comma === -1) return { kind: 'static', text, endpoints };
    at = comma + 1;
  }
}

function readEndpoint(text: string, start: number, end: number): Address {
  const piece = text.slice(start, end);
  const colon = piece.lastIndexOf(':');
  const bracketed = piece.startsWith('[');
  const hostEnd = bracketed ? piece.indexOf(']') + 1 : colon;
  if (hostEnd <= 0 || colon !== hostEnd)
    throw badTarget(text, start, 'host:port or [v6 address]:port', piece);
  const host = bracketed ? piece.slice(1, hostEnd - 1) : piece.slice(0, hostEnd);
  // Brackets are there to tell the colons of a v6 literal from the one before the port, so only that needs them.
  if (!isHost(host) || host.includes(':') !== bracketed) {
    throw badTarget(text, start, 'a host name or IP literal (v6 in brackets)', host);
  }
  const digits = piece.slice(colon + 1);
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65_535) {
    throw badTarget(text, start + colon + 1, 'a port from 1 to 65535', digits || 'nothing');
  }
  return { host, port };
}

function readDiscovery(text: string, start: number): Target {
  const question = text.indexOf('?', start);
  const service = text.slice(start, question === -1 ? text.length : question);
  if (!isServiceName(service))
    throw badTarget(text, start, `a service name (${serviceNameRule})`, service || 'nothing');
  const subset = question === -1 ? { tags: [] } : readSubset(text, question + 1);
  return { kind: 'discovery', text, service, subset };
}

function readSubset(text: string, start: number): Subset {
  const single = new Map<string, string>();
  const tags: string[] = [];
  let at = start;
  for (const part of text.slice(start).split('&')) {
    const { key, value } = readPart(text, at, part);
    if (key === 'tag') tags.push(value);
    else if (single.has(key)) throw badTarget(text, at, `"${key}" once`, `it again`);
    else single.set(key, value);
    at += part.length + 1;
  }
  return { ...Object.fromEntries(single), tags };
}

function readPart(text: string, at: number, part: string): { key: string; value: string } {
  const equals = part.indexOf('=');
  const key = equals === -1 ? part : part.slice(0, equals);
  if (!subsetKeys.some((known) => known === key)) {
    throw badTarget(text, at, `one of ${subsetKeys.join(', ')}`, key || 'nothing');
  }
  const raw = equals === -1 ? '' : part.slice(equals + 1);
  const value = decode(raw);
  if (value === undefined) throw badTarget(text, at + equals + 1, 'percent-encoded UTF-8', raw);
  if (value === '') throw badTarget(text, at + key.length, `"=" and a value for "${key}"`, raw || 'nothing');
  return { key, value };
}

function decode(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

function badTarget(text: string, position: number, expected: string, found: string): HeddleError {
  const message = `target ${JSON.stringify(text)}: at position ${position}, expected ${expected}, found ${JSON.stringify(found)}`;
  const details = [{ type: 'heddle.TargetPosition', value: { position } }];
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_TARGET', message, sent: false, details });
}
