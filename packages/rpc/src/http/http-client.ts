import { idempotency, idempotencyKey } from '@heddle/kernel';
import { httpUpstream } from '@heddle/upstream';
import {
  classifyHttp,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  idempotencyOfMethod,
  replayHttp,
  retryAfterMs,
  wholeBytes,
} from '@heddle/wire';
import { type Client, type ClientOptions, openClient } from '../client/open-client.ts';

/**
 * A client for instances that speak plain HTTP/1.1, with the same stack as a gRPC client's. Its service takes any
 * request: scheme and authority may be empty, and are then the instance's. GET, HEAD, OPTIONS, PUT and DELETE are
 * retried; POST and PATCH only if provably not sent, or with an `idempotency-key` field.
 */
export function httpClient(
  options: ClientOptions<HttpRequest, HttpResponse>,
): Client<HttpRequest, HttpResponse> {
  const client = openClient(options, {
    connect: (instance) => httpUpstream(instance, options.runtime),
    classify: classifyHttp,
    replay: replayHttp,
    pushbackMs: retryAfterMs,
    identity: identityOf,
    copies: copiesOf,
    operation: ({ method, path }) => `${method} ${path.split('?', 1)[0] ?? ''}`,
    answer: ({ status }) => `status ${status}`,
  });
  return { ...client, service: declaring(client.service) };
}

/** What a read asks for; undefined where it has content. The fields count too: they may change the answer. */
function identityOf({ method, authority, path, fields, body }: HttpRequest): string | undefined {
  if (wholeBytes(body)?.byteLength !== 0) return undefined;
  return `${method} ${authority}${path}\n${JSON.stringify(fields.raw)}`;
}

/** An answer that is all there may be given to many. */
function copiesOf(res: HttpResponse): (() => HttpResponse) | undefined {
  return wholeBytes(res.body) === undefined ? undefined : () => ({ ...res, fields: res.fields.clone() });
}

/**
 * What this request promises: by its method, and by its own key. Nothing is taken over from the call that it is made
 * for, whose key names other work.
 */
function declaring(next: HttpService): HttpService {
  return (req, call) => {
    call.set(idempotency, idempotencyOfMethod(req.method));
    call.set(idempotencyKey, req.fields.get('idempotency-key'));
    return next(req, call);
  };
}
