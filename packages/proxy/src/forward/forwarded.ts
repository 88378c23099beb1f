import { correlationId, idempotency, idempotencyKey, type Layer } from '@heddle/kernel';
import { type HttpRequest, type HttpResponse, idempotencyOfMethod, peer } from '@heddle/wire';
import { inRanges, isAddress } from './address-range.ts';
import { clientAddress } from './client-address.ts';
import { endToEndFields } from './end-to-end-fields.ts';

/** Our name in `Via` (RFC 9110 section 7.6.3). */
const via = '1.1 heddle';

// Who calls, and from where, is for an edge to say. Compared with "_" as "-", since some servers read it so.
const claims = /^(x-user-id|x-tenant-id|forwarded|x-forwarded-(for|host|port|proto))$/;

/**
 * Turns what came from outside into what may go inside, and back: hop-by-hop fields and claims of identity are
 * dropped, `X-Forwarded-For/Host/Port/Proto` and `Forwarded` say what this proxy saw, `Via`, `x-request-id` and
 * `x-correlation-id` are added, both ids kept if the caller sent one. What a caller claims of others is believed only
 * from the addresses in `trusted`: then the client is the last one on the way that is none of them. The method's
 * promise and the idempotency key are put on the call. `Host` goes on as it came.
 */
export function forwarded(trusted: readonly string[]): Layer<HttpRequest, HttpResponse> {
  const isTrusted = trusted.length === 0 ? () => false : inRanges(trusted);
  const stated = statements();
  return (next) => (req, call) => {
    const fields = endToEndFields(req.fields, isOurs);
    const from = call.get(peer)?.address.host;
    const way = from !== undefined && isTrusted(from) ? wayOf(req, isTrusted) : undefined;
    if (way?.client !== undefined) call.set(clientAddress, way.client);
    const said = way === undefined ? stated(req, from) : statement(req, from, way);

    const requestId = acceptableId(req.fields.get('x-request-id')) ?? call.runtime.random.uuid();
    const correlation = acceptableId(req.fields.get('x-correlation-id')) ?? requestId;
    fields.raw.push(...said, 'via', via, 'x-request-id', requestId, 'x-correlation-id', correlation);
    call.set(correlationId, correlation).set(idempotency, idempotencyOfMethod(req.method));
    const key = fields.get('idempotency-key');
    if (key !== undefined) call.set(idempotencyKey, key);

    return next({ ...req, fields }, call).then((res) => {
      const answer = endToEndFields(res.fields, isRequestId);
      answer.raw.push('via', via, 'x-request-id', requestId);
      return { ...res, fields: answer };
    });
  };
}

/** What is left out of what comes from outside: claims, and what is written anew. */
function isOurs(name: string): boolean {
  return isClaim(name) || isRequestId(name) || name === 'x-correlation-id';
}

function isRequestId(name: string): boolean {
  return name === 'x-request-id';
}

/** What was asked for, as the outermost proxy saw it. */
interface Seen {
  readonly proto: string;
  readonly host: string;
  readonly port: string;
}

interface Way {
  /** Addresses from the client's to that of the proxy before the one that asks us. */
  readonly hops: readonly string[];
  readonly client: string | undefined;
  readonly seen: Partial<Seen>;
}

/** What a trusted proxy says. A name on the way that is no address ends what can be believed. */
function wayOf({ fields }: HttpRequest, isTrusted: (address: string) => boolean): Way {
  const said = fields.all('x-forwarded-for').flatMap((value) => value.split(','));
  const hops: string[] = [];
  let client: string | undefined;
  for (const hop of said.map((each) => each.trim()).toReversed()) {
    const address = plainAddress(hop);
    if (address === undefined) break;
    hops.unshift(address);
    client = address;
    if (!isTrusted(address)) break;
  }
  const one = (name: string, holds: RegExp): string | undefined => {
    const value = fields.get(name)?.split(',').at(-1)?.trim();
    return value !== undefined && holds.test(value) ? value : undefined;
  };
  const proto = one('x-forwarded-proto', /^https?$/);
  const host = one('x-forwarded-host', /^[A-Za-z0-9.\-:[\]]{1,255}$/);
  const port = one('x-forwarded-port', /^\d{1,5}$/);
  const seen = {
    ...(proto !== undefined && { proto }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
  };
  return { hops, client, seen };
}

/** An address without port and brackets; undefined for anything else. */
function plainAddress(hop: string): string | undefined {
  const bare = /^\[([0-9a-fA-F:.]+)\](:\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop;
  return isAddress(bare) ? bare : undefined;
}

/** `statement` for those who come without a trusted proxy; the last one is remembered, as most ask for the same host. */
function statements(): (req: HttpRequest, from: string | undefined) => readonly string[] {
  let known: readonly string[] = [];
  let [scheme, authority, address]: readonly (string | undefined)[] = [];
  return (req, from) => {
    if (req.scheme === scheme && req.authority === authority && from === address) return known;
    known = statement(req, from, undefined);
    ({ scheme, authority } = req);
    address = from;
    return known;
  };
}

/**
 * The fields of both kinds (RFC 7239 for `Forwarded`, whose values are quoted where they are no tokens), as names and
 * values in turn.
 */
function statement(req: HttpRequest, from: string | undefined, way: Way | undefined): readonly string[] {
  const seen: Seen = { proto: req.scheme, host: req.authority, port: portOf(req), ...way?.seen };
  const hops = [...(way?.hops ?? []), ...(from === undefined ? [] : [from])];
  const { proto, host, port } = seen;
  const quoted = JSON.stringify(host);
  const about = `;host=${/^[\x20-\x7e]*$/.test(host) ? quoted : '""'};proto=${proto}`;
  const path = hops.map((hop) => `for=${hop.includes(':') ? `"[${hop}]"` : hop}`);
  const last = path.pop() ?? 'for=unknown';
  return [
    ...(hops.length > 0 ? ['x-forwarded-for', hops.join(', ')] : []),
    'x-forwarded-proto',
    proto,
    'x-forwarded-host',
    host,
    'x-forwarded-port',
    port,
    'forwarded',
    [...path, `${last}${about}`].join(', '),
  ];
}

function isClaim(name: string): boolean {
  // Nearly all others: they begin with neither "x" nor "f".
  const first = name.charCodeAt(0);
  if (first !== 0x78 && first !== 0x66) return false;
  return claims.test(name.replaceAll('_', '-'));
}

/** An id that goes into logs and headers of many systems: visible ASCII, not too long. */
function acceptableId(value: string | undefined): string | undefined {
  return value !== undefined && /^[\x21-\x7e]{1,128}$/.test(value) ? value : undefined;
}

function portOf(req: HttpRequest): string {
  const port = /:(\d+)$/.exec(req.authority)?.[1];
  return port ?? (req.scheme === 'https' ? '443' : '80');
}
