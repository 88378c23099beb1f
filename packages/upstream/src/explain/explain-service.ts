import { Fields, type HttpResponse, type HttpService, wholeBody } from '@heddle/wire';
import { isBearer } from './bearer.ts';
import type { DecisionLog } from './decision-log.ts';
import type { LayerLine } from './named-layers.ts';

/** The stacks of a process, by what they are for: `client`, `server`, `gateway`, `route`. */
export type Stacks = Readonly<Record<string, readonly LayerLine[]>>;

/**
 * What `heddle explain` asks a process, as JSON: `GET /explain?id=<trace or correlation id>`, or without an id the newest,
 * `&failed=1` for failures only; and `GET /explain/layers`. For an endpoint of operators, since records tell of the inside:
 * with a `token`, only for those who send it as `authorization: Bearer …`.
 */
export function explainService(log: DecisionLog, stacks: () => Stacks, token?: string): HttpService {
  return async (req) => {
    req.body.cancel();
    if (token !== undefined && !isBearer(req.fields.get('authorization') ?? '', token))
      return json(401, { reason: 'BAD_TOKEN' });
    const { pathname, searchParams } = new URL(req.path, 'http://localhost');
    if (req.method !== 'GET') return json(405, { reason: 'METHOD_NOT_ALLOWED' });
    if (pathname === '/explain/layers') return json(200, stacks());
    if (pathname !== '/explain') return json(404, { reason: 'NO_SUCH_PATH' });
    const id = searchParams.get('id');
    const limit = Number(searchParams.get('limit') ?? 100);
    const records = log.find({
      ...(id !== null && { id }),
      failedOnly: searchParams.get('failed') === '1',
      limit: Number.isInteger(limit) ? Math.min(Math.max(limit, 1), 1000) : 100,
    });
    return json(200, records);
  };
}

function json(status: number, body: unknown): HttpResponse {
  return {
    status,
    fields: Fields.of({ 'content-type': 'application/json' }),
    body: wholeBody(new TextEncoder().encode(JSON.stringify(body))),
  };
}
