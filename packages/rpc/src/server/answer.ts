import { type Call, HeddleError } from '@heddle/kernel';
import {
  type Body,
  emptyBody,
  Fields,
  frame,
  type HttpRequest,
  type HttpResponse,
  wholeBody,
} from '@heddle/wire';
import { writeStatus } from '../status/status-fields.ts';
import type { Metadata } from './metadata.ts';

const contentType = 'application/grpc';

/** The answer with one message, which is all there. */
export function answer(message: Uint8Array, metadata: Metadata): HttpResponse {
  return answerWith(wholeBody(frame(message), writeStatus(undefined, metadata.trailer)), metadata);
}

/** The answer with any body, whose trailers bring the status. */
export function answerWith(body: Body, metadata: Metadata): HttpResponse {
  return { status: 200, fields: metadata.header.set('content-type', contentType), body };
}

/** The answer with nothing but a status: gRPC's `Trailers-Only`. */
export function refusal(error: HeddleError, metadata?: Metadata): HttpResponse {
  const fields = metadata?.header ?? new Fields();
  fields.set('content-type', contentType);
  for (const [name, value] of metadata?.trailer ?? []) fields.append(name, value);
  return { status: 200, fields: writeStatus(error, fields), body: emptyBody };
}

/** True for a request that speaks gRPC with protobuf. */
export function isGrpc(req: HttpRequest): boolean {
  const type = req.fields.get('content-type')?.split(';', 1)[0]?.trim();
  return type === 'application/grpc' || type === 'application/grpc+proto';
}

/**
 * What a handler threw, as the client may see it: it counts as sent, since a handler has run, whatever an error from
 * further down says of its own request. A mistake in code is logged here and hidden from the client.
 */
export function thrownByHandler(thrown: unknown, call: Call, method: string): HeddleError {
  const error = HeddleError.from(thrown);
  if (error.reason === 'UNEXPECTED') {
    call.runtime.log('error', 'a handler failed unexpectedly', { method, error: thrown });
    const message = `the handler of ${method} failed unexpectedly; its log says why`;
    return new HeddleError({ code: 'unknown', reason: 'UNEXPECTED', message, cause: thrown });
  }
  return error.sent ? error : error.with({ sent: true });
}
