import type { Address, CallKey, Service, TlsSession } from '@heddle/kernel';
import { callKey } from '@heddle/kernel';
import type { Body } from './body.ts';
import type { Fields } from './fields.ts';

/**
 * A request as RFC 9110 means it, the same for every version of HTTP. What belongs to one connection (framing, Host,
 * Connection and what that names, Upgrade, TE, Expect) is not in `fields`: the engine has dealt with it, and writes
 * its own whatever a service puts there. Only the client's `expect: 100-continue` is heeded: the content then waits.
 */
export interface HttpRequest {
  /** As it came; methods are case-sensitive. */
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** Host, and port where one was given. */
  readonly authority: string;
  /** Path and query, not decoded: starts with `/`, or is `*` for OPTIONS. Empty for a plain CONNECT. */
  readonly path: string;
  readonly fields: Fields;
  readonly body: Body;
  /**
   * What to turn the exchange into: the token of `Upgrade`, or `:protocol` of an extended CONNECT (RFC 8441).
   * If the answer accepts (101, or 2xx to a CONNECT), the two bodies carry the tunnel's bytes: so nothing can be read
   * from the request's body before the answer, and a service that does not know the protocol answers without reading.
   */
  readonly protocol?: string;
}

/**
 * The answer to one. `status` is final: 101, or 200 to 599. With HEAD and 304 there is no content, and the length of
 * what would have been sent is in `fields` as `content-length`, where it is known; nowhere else is it there.
 */
export interface HttpResponse {
  readonly status: number;
  readonly fields: Fields;
  readonly body: Body;
}

/**
 * HTTP as a service, on either side of the wire. On the client the engine defers the call's end to the response
 * body; on the server the engine makes the call, cancels it when the peer gives up, and ends it with the last byte.
 */
export type HttpService = Service<HttpRequest, HttpResponse>;

/** Who is at the other end of a call's connection. Set by the server on each call that it makes. */
export interface Peer {
  readonly address: Address;
  /**
   * What TLS has found out; undefined on a connection without it. `tls.certificate` is who the client says it is, and
   * may be believed only when `verified`: on a server that only requests certificates, anybody can show one.
   */
  readonly tls?: TlsSession | undefined;
}

/** The other end's address (and, with TLS, identity). Undefined on calls that did not come over a wire. */
export const peer: CallKey<Peer | undefined> = callKey<Peer | undefined>('peer', undefined);
