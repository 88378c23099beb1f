import { HeddleError, type Layer } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { isWebSocket } from '../forward/tunnels.ts';
import { normalPath } from './normal-path.ts';

/** Brings the target into normal form, or refuses it: `invalid_argument` / `BAD_PATH`. All below sees one spelling. */
export const normalised: Layer<HttpRequest, HttpResponse> = (next) => async (req, call) => {
  if (!isWebSocket(req) && (req.protocol !== undefined || req.method === 'CONNECT')) {
    const message = `this proxy does not forward tunnels: ${req.protocol ?? req.method}`;
    throw new HeddleError({ code: 'unimplemented', reason: 'NO_TUNNELS', message, sent: false });
  }
  const normal = normalPath(req.path);
  if (!normal.ok) {
    const message = `the request's path is refused: ${normal.why}`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_PATH', message, sent: false });
  }
  const path = normal.path + normal.query;
  return next(path === req.path ? req : { ...req, path }, call);
};
