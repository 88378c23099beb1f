import { hostPort, type Instance } from '@heddle/discovery';
import type { Runtime } from '@heddle/kernel';
import {
  endpoint,
  type EndpointTls,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  propagateOut,
} from '@heddle/wire';
import type { Upstream } from './member.ts';

/** How an instance is reached, beside its address and protocol. */
export interface WayOptions {
  /** Default: clear text. */
  readonly tls?: EndpointTls;
  /** Of the connections; what is left out is as the protocol's own defaults say. */
  readonly pool?: {
    readonly connections?: number;
    readonly waiting?: number;
    readonly connectMs?: number;
    readonly idleMs?: number;
    readonly ageMs?: number;
  };
}

/**
 * The way to an instance that speaks HTTP/1.1, or HTTP/2 (`h2c`: with prior knowledge, or with TLS as ALPN agrees): the
 * call's context goes on each request, and a request that names no authority gets the instance's.
 */
export function httpUpstream(
  instance: Instance,
  runtime: Runtime,
  protocol: 'http1' | 'h2c' = 'http1',
  { tls, pool = {} }: WayOptions = {},
): Upstream<HttpRequest, HttpResponse> {
  const address = { host: instance.address, port: instance.port };
  const secured = tls !== undefined && { tls };
  const way = endpoint({
    runtime,
    address,
    protocol: protocol === 'h2c' ? 'http2' : 'http1',
    limits: pool,
    ...secured,
  });
  const sent = protocol === 'h2c' ? withTrailers(way.request) : way.request;
  return { endpoint: way, service: addressed(propagateOut(sent), hostPort(instance)) };
}

/** gRPC's servers want to hear that we know trailers; what the caller said of it was for the hop before. */
function withTrailers(next: HttpService): HttpService {
  return (req, call) => {
    if (req.fields.get('content-type')?.startsWith('application/grpc') !== true) return next(req, call);
    return next({ ...req, fields: req.fields.clone().set('te', 'trailers') }, call);
  };
}

function addressed(next: HttpService, authority: string): HttpService {
  return (req, call) => next(req.authority === '' ? { ...req, authority } : req, call);
}
