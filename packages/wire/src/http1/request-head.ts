import type { MessageLimits } from './limits.ts';
import { isAuthority, normalAuthority } from './authority.ts';
import type { HeadReader } from './head-reader.ts';
import { MessageHead, NO_LENGTH } from './message-head.ts';
import { latin1 } from './octets.ts';
import { refusal } from './refusal.ts';
import { RememberingHeadReader } from './remembering-head-reader.ts';
import { RequestLine } from './request-line.ts';

/** A request head that can be read in exactly one way. */
export interface RequestHead {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly path: string;
  /** The end-to-end fields, and how the content is framed. */
  readonly head: MessageHead;
  /** False for HTTP/1.0. */
  readonly http11: boolean;
  /** The connection may carry another request after this one. */
  readonly persistent: boolean;
  /** The client waits for 100 before it sends the content. */
  readonly expectsContinue: boolean;
}

/** Reads request heads, and refuses those that do not have exactly one meaning. */
export class RequestHeadReader extends RememberingHeadReader<RequestHead> {
  /** `scheme`: `https` on a connection with TLS. */
  constructor(limits: MessageLimits, scheme: 'http' | 'https' = 'http') {
    const line = new RequestLine();
    const understanding = new Understanding(line, scheme);
    super(limits, line, (reader) => understanding.of(reader));
  }
}

class Understanding {
  readonly #line: RequestLine;
  readonly #scheme: 'http' | 'https';
  /** The Host of the last request, which was good: on one connection it hardly ever changes. */
  #goodHost: string | undefined;

  constructor(line: RequestLine, scheme: 'http' | 'https') {
    this.#line = line;
    this.#scheme = scheme;
  }

  of(reader: HeadReader): RequestHead {
    const line = this.#line;
    if (line.major !== 1 || line.minor > 1)
      throw refusal('VERSION_UNKNOWN', 'the version is not HTTP/1.1 or HTTP/1.0');
    const text = latin1(reader.bytes, reader.start, reader.end);
    const head = new MessageHead(reader, text);
    const method = text.slice(line.methodStart, line.methodEnd);
    const target = text.slice(line.methodEnd + 1, line.targetEnd);
    const http11 = line.minor === 1;
    if (!http11) forbidIn10(head);
    if (head.host === undefined || head.host !== this.#goodHost) this.#checkHost(head.host, http11);
    if (method === 'CONNECT') checkConnect(head);
    const { authority, path } = readTarget(this.#scheme, method, target, head.host);
    const persistent = !head.close && (http11 || head.keepAlive);
    return {
      method,
      scheme: this.#scheme,
      authority,
      path,
      head,
      http11,
      persistent,
      expectsContinue: expects(head, http11),
    };
  }

  /** RFC 9112 section 3.2: exactly one, good, and not empty. */
  #checkHost(host: string | undefined, http11: boolean): void {
    if (host === undefined) {
      if (http11) throw refusal('BAD_HOST', 'there is no Host field');
    } else if (!isAuthority(host)) {
      throw refusal('BAD_HOST', 'Host is not a host and an optional port');
    } else {
      this.#goodHost = host;
    }
  }
}

/** RFC 9112 section 6.1: chunked came with HTTP/1.1, so who says so in HTTP/1.0 has been rewritten on the way. */
function forbidIn10(head: MessageHead): void {
  if (head.chunked)
    throw refusal('BAD_TRANSFER_ENCODING', 'there is Transfer-Encoding in a message of HTTP/1.0');
  head.upgrade = undefined;
}

/** RFC 9110 section 9.3.6: its content has no meaning; and what follows at once must not be taken for a request. */
function checkConnect(head: MessageHead): void {
  if (head.chunked || head.contentLength > 0)
    throw refusal('BAD_REQUEST_LINE', 'there is content in a CONNECT');
}

/** RFC 9110 section 10.1.1. An expectation in HTTP/1.0 is passed over, as the section demands. */
function expects(head: MessageHead, http11: boolean): boolean {
  if (head.expect === undefined || !http11) return false;
  if (head.expect.toLowerCase() !== '100-continue') {
    throw refusal('EXPECTATION_UNKNOWN', 'the only expectation that is understood is 100-continue');
  }
  return head.chunked || (head.contentLength !== NO_LENGTH && head.contentLength > 0);
}

/** RFC 9112 section 3.2: the four forms of a target. */
function readTarget(
  scheme: string,
  method: string,
  target: string,
  host = '',
): { authority: string; path: string } {
  if (method === 'CONNECT') return connectTarget(target, host);
  if (target.charCodeAt(0) === 0x2f) return { authority: host, path: target };
  if (target === '*') {
    if (method !== 'OPTIONS') throw refusal('BAD_TARGET', 'the target "*" is for OPTIONS only');
    return { authority: host, path: target };
  }
  return absoluteTarget(scheme, target, host);
}

function connectTarget(target: string, host: string): { authority: string; path: string } {
  if (!isAuthority(target) || target.endsWith(']') || !target.includes(':')) {
    throw refusal('BAD_TARGET', 'the target of CONNECT is not host:port');
  }
  agree(target, host);
  return { authority: target, path: '' };
}

/** RFC 9112 section 3.2.2. A Host that says otherwise is a contradiction; who believes which is not left to chance. */
function absoluteTarget(expected: string, target: string, host: string): { authority: string; path: string } {
  const mark = target.indexOf('://');
  const scheme = target.slice(0, Math.max(mark, 0)).toLowerCase();
  if (scheme !== 'http' && scheme !== 'https')
    throw refusal('BAD_TARGET', 'the target is neither a path nor an absolute URI of http or https');
  // RFC 9110 section 7.4. A target of http may come through TLS, from a proxy for instance; it is taken as of https.
  if (scheme === 'https' && expected !== 'https')
    throw refusal('MISDIRECTED', 'a target of https came over a connection without TLS');
  const from = mark + 3;
  let to = from;
  while (to < target.length && target.charCodeAt(to) !== 0x2f && target.charCodeAt(to) !== 0x3f) to++;
  const authority = target.slice(from, to);
  if (!isAuthority(authority))
    throw refusal('BAD_TARGET', 'the authority of the target is not a host and a port');
  agree(authority, host);
  const path = target.slice(to);
  return { authority, path: path.startsWith('/') ? path : `/${path}` };
}

function agree(authority: string, host: string): void {
  if (host !== '' && normalAuthority(authority) !== normalAuthority(host)) {
    throw refusal('BAD_HOST', 'Host differs from the authority of the target');
  }
}
