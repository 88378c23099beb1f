import { HeddleError, type Layer } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { isWebSocket, noTunnel } from '../forward/tunnels.ts';
import { isNormal, normalPath } from './normal-path.ts';

/** Brings the target into normal form, or refuses it: `invalid_argument` / `BAD_PATH`. All below sees one spelling. */
export const normalised: Layer<HttpRequest, HttpResponse> = (next) => (req, call) => {
  if ((req.protocol !== undefined || req.method === 'CONNECT') && !isWebSocket(req))
    return Promise.reject(noTunnel(`this proxy does not forward tunnels: ${req.protocol ?? req.method}`));
  if (isNormal(req.path)) return next(req, call);
  const normal = normalPath(req.path);
  if (!normal.ok) return Promise.reject(badPath(normal.why));
  return next({ ...req, path: normal.path + normal.query }, call);
};

function badPath(why: string): HeddleError {
  const message = `the request's path is refused: ${why}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_PATH', message, sent: false });
}
