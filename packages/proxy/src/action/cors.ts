import type { Layer } from '@heddle/kernel';
import { emptyBody, Fields, type HttpRequest, type HttpResponse } from '@heddle/wire';
import type { Cors } from '../model/route.ts';

/**
 * Answers preflights itself and marks other answers for the browser (Fetch standard, "CORS protocol"). A preflight of
 * an origin that is not allowed gets 204 without any permission; the upstream never sees one. What the upstream says
 * about CORS itself is replaced: there is one place that decides.
 */
export function corsLayer(cors: Cors): Layer<HttpRequest, HttpResponse> {
  return (next) => async (req, call) => {
    const origin = req.fields.get('origin');
    const allowed = origin === undefined ? undefined : allowedOrigin(cors, origin);
    if (origin !== undefined && isPreflight(req)) return preflight(cors, allowed);
    const res = await next(req, call);
    const fields = res.fields.clone();
    for (const name of granted) fields.delete(name);
    if (!cors.origins.includes('*')) fields.append('vary', 'origin');
    if (allowed !== undefined) grant(cors, allowed, fields);
    return { ...res, fields };
  };
}

/** True for the question that a browser asks before it sends what a page could not send without CORS. */
export function isPreflight({ method, fields }: HttpRequest): boolean {
  return method === 'OPTIONS' && fields.has('origin') && fields.has('access-control-request-method');
}

const granted = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-max-age',
];

function allowedOrigin({ origins }: Cors, origin: string): string | undefined {
  if (origins.includes('*')) return '*';
  return origins.includes(origin) ? origin : undefined;
}

function grant({ credentials, expose }: Cors, origin: string, fields: Fields): void {
  fields.set('access-control-allow-origin', origin);
  if (credentials) fields.set('access-control-allow-credentials', 'true');
  if (expose.length > 0) fields.set('access-control-expose-headers', expose.join(', '));
}

function preflight(cors: Cors, origin: string | undefined): HttpResponse {
  const fields = Fields.of({ vary: 'origin, access-control-request-method, access-control-request-headers' });
  if (origin !== undefined) {
    grant({ ...cors, expose: [] }, origin, fields);
    fields.set('access-control-allow-methods', cors.methods.join(', '));
    if (cors.headers.length > 0) fields.set('access-control-allow-headers', cors.headers.join(', '));
    fields.set('access-control-max-age', String(cors.maxAgeSeconds));
  }
  return { status: 204, fields, body: emptyBody };
}
