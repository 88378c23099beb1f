import { hostPort, type Instance } from '@heddle/discovery';
import type { Runtime } from '@heddle/kernel';
import { endpoint, type HttpRequest, type HttpResponse, type HttpService, propagateOut } from '@heddle/wire';
import type { Upstream } from './member.ts';

/**
 * The way to an instance that speaks HTTP/1.1: the call's context goes on each request, and a request that names no
 * authority gets the instance's.
 */
export function httpUpstream(instance: Instance, runtime: Runtime): Upstream<HttpRequest, HttpResponse> {
  const address = { host: instance.address, port: instance.port };
  const way = endpoint({ runtime, address, protocol: 'http1' });
  return { endpoint: way, service: addressed(propagateOut(way.request), hostPort(instance)) };
}

function addressed(next: HttpService, authority: string): HttpService {
  return (req, call) => next(req.authority === '' ? { ...req, authority } : req, call);
}
