import { type Layer, tellCall } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { routeOf } from '../metrics/http-metrics.ts';
import { watchServed } from '../metrics/watch-exchange.ts';

/**
 * A line for each request when its last byte has gone: method, path, route, status, milliseconds, with the ids of its
 * trace and request. `info`; `warn` for 5xx and for those without an answer. The query is left out: it may hold secrets.
 */
export const accessLog: Layer<HttpRequest, HttpResponse> = (next) => (req, call) =>
  watchServed(
    call,
    () => next(req, call),
    ({ answer, error, seconds }) => {
      const status = answer?.status;
      const route = routeOf(call);
      const question = req.path.indexOf('?');
      // One object, filled bit by bit: it is made for each request.
      const fields: Record<string, unknown> = {
        method: req.method,
        path: question < 0 ? req.path : req.path.slice(0, question),
      };
      if (route !== undefined) fields['route'] = route;
      if (status !== undefined) fields['status'] = status;
      fields['ms'] = Math.round(seconds * 1_000_000) / 1000;
      if (error !== undefined) fields['reason'] = error.reason;
      tellCall(call, fields);
      call.runtime.log(status === undefined || status >= 500 ? 'warn' : 'info', 'request', fields);
    },
  );
