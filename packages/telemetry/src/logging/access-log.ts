import { callLog, type Layer } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { routeOf } from '../metrics/http-metrics.ts';
import { watchExchange } from '../metrics/watch-exchange.ts';

/**
 * A line for each request when its last byte has gone: method, path, route, status, milliseconds, with the ids of its
 * trace and request. `info`; `warn` for 5xx and for those without an answer. The query is left out: it may hold secrets.
 */
export const accessLog: Layer<HttpRequest, HttpResponse> = (next) => (req, call) =>
  watchExchange(call, next(req, call), ({ answer, error, seconds }) => {
    const status = answer?.status;
    const route = routeOf(call);
    callLog(call)(status === undefined || status >= 500 ? 'warn' : 'info', 'request', {
      method: req.method,
      path: req.path.split('?', 1)[0],
      ...(route !== undefined && { route }),
      ...(status !== undefined && { status }),
      ms: Math.round(seconds * 1_000_000) / 1000,
      ...(error !== undefined && { reason: error.reason }),
    });
  });
