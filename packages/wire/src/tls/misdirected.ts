import type { Layer } from '@heddle/kernel';
import { wholeBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import { type HttpRequest, type HttpResponse, peer } from '../message/http.ts';

/**
 * Answers 421, and tells `refused`, for an authority that the certificate of the request's connection does not cover
 * (RFC 9110 section 15.5.20). Connections without TLS have none to look at.
 */
export function refuseMisdirected(refused: () => void): Layer<HttpRequest, HttpResponse> {
  return (next) => async (request, call) => {
    const { authority } = request;
    const covers = call.get(peer)?.tls?.covers;
    if (covers === undefined || covers(hostOf(authority))) return next(request, call);
    request.body.cancel();
    refused();
    const text = Buffer.from(`this connection's certificate is not for ${authority}\n`);
    return { status: 421, fields: Fields.of({ 'content-type': 'text/plain' }), body: wholeBody(text) };
  };
}

/** Without the port, the brackets of IPv6 and the dot at the end. */
function hostOf(authority: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(authority)?.[1];
  return bracketed ?? authority.replace(/:\d*$/, '').replace(/\.$/, '');
}
