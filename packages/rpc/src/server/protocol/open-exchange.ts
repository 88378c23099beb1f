import type { HeddleError } from '@heddle/kernel';
import { emptyBody, Fields, type HttpRequest, type HttpResponse } from '@heddle/wire';
import { json } from './codec.ts';
import { ConnectUnaryExchange, connectUnaryCodecs, refuseConnectUnary } from './connect-unary-exchange.ts';
import { type Dialect, dialects, refuseInDialect } from './dialect.ts';
import { EnvelopedExchange } from './enveloped-exchange.ts';
import type { Exchange, ExchangeLimits } from './exchange.ts';

/** What a POST to a unary method may be. */
export const unaryTypes: string = [
  ...[...dialects.values()].filter(({ unary }) => unary).map(({ contentType }) => contentType),
  ...connectUnaryCodecs.keys(),
].join(', ');

/** What a POST to any other method may be. */
export const streamTypes: string = [...dialects.keys()].join(', ');

/** What a POST to a method that is not known may be. */
export const anyTypes: string = [...dialects.keys(), ...connectUnaryCodecs.keys()].join(', ');

/** The answer to a request of a content type that is none of `accepted`. */
export function wrongType(accepted: string): HttpResponse {
  return { status: 415, fields: Fields.of({ 'accept-post': accepted }), body: emptyBody };
}

/** Whether a POST is of one of the protocols. */
export function isRpc(req: HttpRequest): boolean {
  const type = mediaType(req.fields);
  return dialects.has(type) || connectUnaryCodecs.has(type);
}

/** Opens an exchange for a unary method; undefined if the request is of no protocol that has one. */
export function openUnary(req: HttpRequest, limits: ExchangeLimits): Exchange | undefined {
  if (req.method === 'GET') return new ConnectUnaryExchange(req, json, limits);
  const type = mediaType(req.fields);
  const dialect = dialects.get(type);
  if (dialect?.unary === true) return new EnvelopedExchange(req, dialect, limits);
  const codec = connectUnaryCodecs.get(type);
  return codec === undefined ? undefined : new ConnectUnaryExchange(req, codec, limits);
}

/** Opens one for a method that streams, in either direction or in both. */
export function openStream(req: HttpRequest, limits: ExchangeLimits): EnvelopedExchange | undefined {
  const dialect = dialectOf(req);
  return dialect === undefined ? undefined : new EnvelopedExchange(req, dialect, limits);
}

/**
 * The answer to a request that a layer refused before its method was known; undefined for plain HTTP. A unary call of
 * Connect looks like any other POST of JSON, so it is told by the version that Connect's clients send.
 */
export function refusalOf(req: HttpRequest, error: HeddleError): HttpResponse | undefined {
  const dialect = dialectOf(req);
  if (dialect !== undefined) return refuseInDialect(dialect, error);
  const connect = req.fields.has('connect-protocol-version') || /[?&]connect=v1(&|$)/.test(req.path);
  return connect ? refuseConnectUnary(error) : undefined;
}

function dialectOf(req: HttpRequest): Dialect | undefined {
  return dialects.get(mediaType(req.fields));
}

function mediaType(fields: Fields): string {
  const type = fields.get('content-type') ?? '';
  const end = type.indexOf(';');
  return (end < 0 ? type : type.slice(0, end)).trim().toLowerCase();
}
