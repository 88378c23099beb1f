import { HeddleError, type Layer } from '@heddle/kernel';
import {
  type Body,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  streamBody,
  wholeBody,
} from '@heddle/wire';
import { isWebSocket } from './tunnels.ts';

/** Content of a known size up to this is read before it is sent on, unless a route says otherwise. */
const bufferedBytes = 65_536;

/**
 * Refuses content of more than `maxBytes` with `resource_exhausted` / `BODY_TOO_LARGE`: at once where the size is
 * known, else when the limit is passed. What is read whole before it is sent on can be repeated elsewhere, and holds up no
 * instance while it comes; the rest streams, with back-pressure. `buffer` true: all is read, false: nothing; undefined: what
 * is small and of known size.
 */
export function content(maxBytes: number, buffer?: boolean): Layer<HttpRequest, HttpResponse> {
  return (next) => {
    const checked = buffer === true ? withWholeContent(next, maxBytes) : withContent(next, maxBytes, buffer);
    return (req, call) => (req.body.size === 0 || isWebSocket(req) ? next : checked)(req, call);
  };
}

function withWholeContent(next: HttpService, maxBytes: number): HttpService {
  return async (req, call) => {
    const { size } = req.body;
    if (size !== undefined && size > maxBytes) throw tooLarge(maxBytes);
    const body = size === undefined ? limited(req.body, maxBytes, tooLarge) : req.body;
    return next({ ...req, body: wholeBody(await body.bytes(maxBytes)) }, call);
  };
}

function withContent(next: HttpService, maxBytes: number, buffer: boolean | undefined): HttpService {
  const mostRead = buffer === false ? 0 : bufferedBytes;
  return async (req, call) => {
    const { size } = req.body;
    if (size === undefined) return next({ ...req, body: limited(req.body, maxBytes, tooLarge) }, call);
    if (size > maxBytes) throw tooLarge(maxBytes);
    if (size > mostRead) return next(req, call);
    return next({ ...req, body: wholeBody(await req.body.bytes(mostRead)) }, call);
  };
}

/**
 * Refuses answers of more than `maxBytes` with `RESPONSE_TOO_LARGE`: where the size is known, before anything is sent;
 * else the answer breaks off when the limit is passed, and so never looks whole.
 */
export function answerSize(maxBytes: number): Layer<HttpRequest, HttpResponse> {
  return (next) => async (req, call) => {
    const res = await next(req, call);
    const { body } = res;
    if (body.size === undefined) return { ...res, body: limited(body, maxBytes, answerTooLarge) };
    if (body.size <= maxBytes) return res;
    const error = answerTooLarge(maxBytes);
    body.cancel(error);
    throw error;
  };
}

function limited(body: Body, maxBytes: number, tooMuch: (maxBytes: number) => HeddleError): Body {
  const counted = async function* (): AsyncGenerator<Uint8Array, void> {
    let total = 0;
    for await (const chunk of body) {
      total += chunk.byteLength;
      if (total > maxBytes) throw tooMuch(maxBytes);
      yield chunk;
    }
  };
  return streamBody(counted(), { trailers: () => body.trailers });
}

function tooLarge(maxBytes: number): HeddleError {
  const message = `the request's content is larger than the ${maxBytes} bytes that are allowed here`;
  return new HeddleError({ code: 'resource_exhausted', reason: 'BODY_TOO_LARGE', message, sent: false });
}

function answerTooLarge(maxBytes: number): HeddleError {
  const message = `the upstream's answer is larger than the ${maxBytes} bytes that are allowed here`;
  return new HeddleError({ code: 'resource_exhausted', reason: 'RESPONSE_TOO_LARGE', message });
}
