import { idempotency, idempotencyKey, type Layer } from '@heddle/kernel';
import { httpUpstream, type Upstream } from '@heddle/upstream';
import {
  classifyHttp,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  idempotencyOfMethod,
  replayHttp,
  retryAfterMs,
  wholeBody,
  wholeBytes,
} from '@heddle/wire';
import { type Client, type ClientOptions, openClient } from '../client/open-client.ts';
import { promised } from './exchange.ts';

/**
 * A client for instances that speak plain HTTP/1.1, with the same stack as a gRPC client's. Its service takes any
 * request: scheme and authority may be empty, and are then the instance's. GET, HEAD, OPTIONS, PUT and DELETE are
 * retried; POST and PATCH only if provably not sent, or with an `idempotency-key` field. `jsonClient` and
 * `graphqlClient` are typed clients above it. With `cache` or `coalesce`, answers up to 1 MiB are taken in whole.
 */
export function httpClient(
  options: ClientOptions<HttpRequest, HttpResponse>,
): Client<HttpRequest, HttpResponse> {
  const { runtime } = options;
  const keeps = options.cache !== undefined || options.coalesce === true;
  const client = openClient(options, {
    connect: (instance): Upstream<HttpRequest, HttpResponse> => {
      const way = httpUpstream(instance, runtime);
      return keeps ? { ...way, service: takenWhole(way.service) } : way;
    },
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

const largestKept = 1024 * 1024;

/** Reads small answers to the end, so that they can be given to many. */
const takenWhole: Layer<HttpRequest, HttpResponse> = (next) => async (req, call) => {
  const response = await next(req, call);
  const { size } = response.body;
  if (size === undefined || size > largestKept) return response;
  const bytes = await response.body.bytes(largestKept);
  return { ...response, body: wholeBody(bytes, response.body.trailers) };
};

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
 * What this request promises: by its method or by who made it, and by its own key. Nothing is taken over from the call
 * that it is made for, whose key names other work.
 */
function declaring(next: HttpService): HttpService {
  return (req, call) => {
    call.set(idempotency, call.get(promised) ?? idempotencyOfMethod(req.method));
    call.set(idempotencyKey, req.fields.get('idempotency-key'));
    return next(req, call);
  };
}
