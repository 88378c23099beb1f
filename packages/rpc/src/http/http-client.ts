import { hostPort, type Instance } from '@heddle/discovery';
import { idempotency, idempotencyKey } from '@heddle/kernel';
import { endpoint, type HttpRequest, type HttpResponse, type HttpService } from '@heddle/wire';
import { type Client, type ClientOptions, openClient } from '../client/open-client.ts';
import { propagateOut } from '../context/propagate.ts';
import type { Upstream } from '../upstream/member.ts';
import { classifyHttp, idempotencyOfHttp, replayHttp, retryAfterMs } from './classify-http.ts';

/**
 * A client for instances that speak plain HTTP/1.1, with the same stack as a gRPC client's. Its service takes any
 * request: scheme and authority may be empty, and are then the instance's. GET, HEAD, OPTIONS, PUT and DELETE are
 * retried; POST and PATCH only if provably not sent, or with an `idempotency-key` field.
 */
export function httpClient(
  options: ClientOptions<HttpRequest, HttpResponse>,
): Client<HttpRequest, HttpResponse> {
  const connect = (instance: Instance): Upstream<HttpRequest, HttpResponse> => {
    const { runtime } = options;
    const at = { host: instance.address, port: instance.port };
    const way = endpoint({ runtime, address: at, protocol: 'http1' });
    return { endpoint: way, service: addressed(propagateOut(way.request), hostPort(instance)) };
  };
  const client = openClient(options, {
    connect,
    classify: classifyHttp,
    replay: replayHttp,
    pushbackMs: retryAfterMs,
  });
  return { ...client, service: declaring(client.service) };
}

function addressed(next: HttpService, authority: string): HttpService {
  return (req, call) => next(req.authority === '' ? { ...req, authority } : req, call);
}

/**
 * What this request promises: by its method, and by its own key. Nothing is taken over from the call that it is made
 * for, whose key names other work.
 */
function declaring(next: HttpService): HttpService {
  return (req, call) => {
    call.set(idempotency, idempotencyOfHttp(req.method));
    call.set(idempotencyKey, req.fields.get('idempotency-key'));
    return next(req, call);
  };
}
