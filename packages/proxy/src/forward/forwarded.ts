import { correlationId, idempotency, idempotencyKey, type Layer } from '@heddle/kernel';
import { type HttpRequest, type HttpResponse, idempotencyOfMethod, peer } from '@heddle/wire';
import { endToEndFields } from './end-to-end-fields.ts';

/** Our name in `Via` (RFC 9110 section 7.6.3). */
const via = '1.1 heddle';

// Who calls, and from where, is for an edge to say. Compared with "_" as "-", since some servers read it so.
const claims = /^(x-user-id|x-tenant-id|forwarded|x-forwarded-(for|host|port|proto))$/;

/**
 * Turns what came from outside into what may go inside, and back: hop-by-hop fields and claims of identity are
 * dropped, `X-Forwarded-For/Host/Port/Proto` say what this proxy saw (and only that: what the caller claimed is not
 * believed), `Via`, `x-request-id` and `x-correlation-id` are added, both ids kept if the caller sent one. The method's
 * promise and the idempotency key are put on the call. `Host` goes on as it came.
 */
export const forwarded: Layer<HttpRequest, HttpResponse> = (next) => async (req, call) => {
  const fields = endToEndFields(req.fields);
  for (const [name] of req.fields) if (isClaim(name)) fields.delete(name);

  const from = call.get(peer)?.address.host;
  if (from !== undefined) fields.append('x-forwarded-for', from);
  fields.append('x-forwarded-proto', req.scheme).append('x-forwarded-host', req.authority);
  fields.append('x-forwarded-port', portOf(req));
  fields.append('via', via);

  const requestId = acceptableId(fields.get('x-request-id')) ?? call.runtime.random.uuid();
  const correlation = acceptableId(fields.get('x-correlation-id')) ?? requestId;
  fields.set('x-request-id', requestId).set('x-correlation-id', correlation);
  call.set(correlationId, correlation).set(idempotency, idempotencyOfMethod(req.method));
  const key = fields.get('idempotency-key');
  if (key !== undefined) call.set(idempotencyKey, key);

  const res = await next({ ...req, fields }, call);
  const answer = endToEndFields(res.fields);
  answer.append('via', via).set('x-request-id', requestId);
  return { ...res, fields: answer };
};

function isClaim(name: string): boolean {
  // Nearly all others: they begin with neither "x" nor "f".
  const first = name.charCodeAt(0);
  if (first !== 0x78 && first !== 0x66) return false;
  return claims.test(name.replaceAll('_', '-'));
}

/** An id that goes into logs and headers of many systems: visible ASCII, not too long. */
function acceptableId(value: string | undefined): string | undefined {
  return value !== undefined && /^[\x21-\x7e]{1,128}$/.test(value) ? value : undefined;
}

function portOf(req: HttpRequest): string {
  const port = /:(\d+)$/.exec(req.authority)?.[1];
  return port ?? (req.scheme === 'https' ? '443' : '80');
}
