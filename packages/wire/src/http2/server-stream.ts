import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import { type Body, emptyBody, wholeBytes } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import { type HttpRequest, type HttpResponse, type HttpService, type Peer, peer } from '../message/http.ts';
import { statusOfCode } from '../message/status-of-code.ts';
import { errorCode } from './error-code.ts';
import type { Link } from './link.ts';
import type { MessageHead } from './message-head.ts';
import { resetCodeOf } from './stream-error.ts';
import { Http2Stream } from './stream.ts';

/** What a stream needs of the server's side of its connection. */
export interface ServerSide {
  readonly runtime: Runtime;
  readonly service: HttpService;
  readonly scheme: 'http' | 'https' | undefined;
  readonly peerInfo: Peer;
  /** A service has begun to work, or has stopped: perhaps long after its stream was reset. */
  working(by: 1 | -1): void;
}

/** The request, until it is handed over together with its body. */
type RequestInMaking = { -readonly [Part in keyof HttpRequest]: HttpRequest[Part] };

/** One request and its answer. */
export class ServerStream extends Http2Stream {
  readonly #side: ServerSide;
  readonly #request: RequestInMaking;
  readonly #expectContinue: boolean;
  #call: Call | undefined;
  #responded = false;

  /** `head` has been found to be a valid request's; its fields go over to the stream. */
  constructor(link: Link, id: number, side: ServerSide, head: MessageHead) {
    super(link, id);
    this.#side = side;
    this.#request = requestOf(head, side.scheme);
    this.#expectContinue = head.expectContinue;
    this.headSeen = true;
    this.receive.expected = head.contentLength;
  }

  override get contentDue(): boolean {
    return !this.#responded;
  }

  /** Hands the request to the service, and its answer to the peer. Never rejects. */
  async serve(): Promise<void> {
    const call = Call.root(this.#side.runtime).set(peer, this.#side.peerInfo);
    this.#call = call;
    const request = this.#request;
    request.body = this.receive.take();
    this.#side.working(1);
    try {
      const response = await this.#side.service(request, call);
      this.#respond(response);
    } catch (thrown) {
      this.#refuse(HeddleError.from(thrown));
    }
    this.#side.working(-1);
  }

  /** Cancels the call: the peer no longer wants it. */
  override fail(error: HeddleError): void {
    if (!this.closed) this.#call?.cancel(error);
    super.fail(error);
  }

  override contentWanted(): void {
    if (this.#expectContinue && !this.#responded && !this.closed) {
      this.link.headerWriter.write(this.id, [':status', '100'], undefined, false);
    }
  }

  // The response goes on without the rest of the request; when it is done, `finish` tells the peer to stop.
  override contentAbandoned(): void {}

  override sendEnded(): void {
    // The peer need not go on sending what nobody will read (RFC 9113 section 8.1); a tunnel's halves end apart.
    if (!this.receive.ended && this.#request.method !== 'CONNECT') {
      this.link.sendReset(this.id, errorCode.noError, this.receive.windowBytes);
      this.receive.stop(unread());
    }
    super.sendEnded();
  }

  override sendFailed(error: HeddleError): void {
    this.reset(resetCodeOf(error), error);
  }

  protected override ended(error: HeddleError | undefined): void {
    this.#call?.end(error);
  }

  #respond(response: HttpResponse): void {
    const { body, fields } = response;
    if (this.closed) {
      body.cancel(this.#call?.cancelled);
      return;
    }
    // What accepts an upgrade in HTTP/1.1 is plain success here (RFC 8441 section 5).
    const status = response.status === 101 && this.#request.protocol !== undefined ? 200 : response.status;
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      body.cancel();
      throw invalidStatus(status);
    }
    const bodiless = this.#request.method === 'HEAD' || status === 204 || status === 304;
    const special = responseSpecial(status, body, fields, bodiless, this.#request.method);
    const endStream = bodiless || isEmpty(body);
    try {
      this.link.headerWriter.write(this.id, special, fields, endStream);
    } catch (thrown) {
      body.cancel();
      throw thrown;
    }
    this.#responded = true;
    if (!endStream) {
      this.send.start(body);
      return;
    }
    body.cancel();
    this.send.ended = true;
    this.sendEnded();
  }

  #refuse(error: HeddleError): void {
    if (this.closed) return;
    if (this.#responded) {
      this.sendFailed(error);
      return;
    }
    this.#respond({ status: statusOfCode(error.code), fields: new Fields(), body: emptyBody });
  }
}

function requestOf(head: MessageHead, scheme: 'http' | 'https' | undefined): RequestInMaking {
  const request: RequestInMaking = {
    method: head.method ?? '',
    scheme: scheme ?? (head.scheme === 'https' ? 'https' : 'http'),
    authority: head.authority ?? head.host ?? '',
    path: head.path ?? '',
    fields: head.takeFields(),
    body: emptyBody,
  };
  if (head.protocol !== undefined) request.protocol = head.protocol;
  return request;
}

function isEmpty(body: Body): boolean {
  return body.size === 0 && body.trailers === undefined && wholeBytes(body) !== undefined;
}

const okStatus: readonly string[] = [':status', '200'];

/** The pseudo-field, and a content-length where there is one to tell and no trailers that make it pointless. */
function responseSpecial(
  status: number,
  body: Body,
  fields: Fields,
  bodiless: boolean,
  method: string,
): readonly string[] {
  const plain = status === 200 ? okStatus : [':status', String(status)];
  if (method === 'CONNECT' || status === 204) return plain;
  const { size } = body;
  if (bodiless) {
    // What GET would have said: the service's word for it, or what it would have sent.
    const meant = method === 'HEAD' && size !== undefined && size > 0 ? String(size) : undefined;
    const told = fields.get('content-length') ?? meant;
    return told === undefined ? plain : [...plain, 'content-length', told];
  }
  if (size === undefined || size === 0 || body.trailers !== undefined) return plain;
  return [...plain, 'content-length', String(size)];
}

function unread(): HeddleError {
  const message = 'the response was complete before the request was';
  return new HeddleError({ code: 'cancelled', reason: 'RESPONSE_COMPLETE', message });
}

function invalidStatus(status: number): HeddleError {
  const message = `the service answered with status ${status}; 200 to 599 are final answers`;
  return new HeddleError({ code: 'internal', reason: 'INVALID_STATUS', message });
}
