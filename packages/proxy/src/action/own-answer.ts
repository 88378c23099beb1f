import { Fields, type HttpRequest, type HttpService, wholeBody } from '@heddle/wire';
import type { Action, RedirectTo } from '../model/route.ts';
import { pathRewrite } from '../router/rewrite.ts';

const encoder = new TextEncoder();

/** Answers a route that does not forward. A redirect to a path keeps the query. */
export function ownAnswer(
  action: Extract<Action, { kind: 'respond' | 'redirect' }>,
  matched: string,
): HttpService {
  if (action.kind === 'respond') {
    const body = encoder.encode(action.body);
    return async () => ({
      status: action.status,
      fields: Fields.of({ 'content-type': action.contentType, 'x-content-type-options': 'nosniff' }),
      body: wholeBody(body),
    });
  }
  const { to } = action;
  const locate = typeof to === 'string' ? fixed(to) : changed(to, matched);
  return async (req) => {
    const fields = Fields.of({ location: locate(req) });
    return { status: action.status, fields, body: wholeBody(new Uint8Array(0)) };
  };
}

function fixed(to: string): (req: HttpRequest) => string {
  return ({ path }) => {
    const question = path.indexOf('?');
    return question === -1 || to.includes('?') ? to : to + path.slice(question);
  };
}

/** What was asked for with some parts replaced. A port that a scheme has anyway is not written. */
function changed(to: Exclude<RedirectTo, string>, matched: string): (req: HttpRequest) => string {
  const { path: change } = to;
  const rewrite =
    change?.kind === 'prefix' ? pathRewrite({ kind: 'prefix', to: change.value }, matched) : undefined;
  return (req) => {
    const question = req.path.indexOf('?');
    const asked = question === -1 ? req.path : req.path.slice(0, question);
    const query = question === -1 ? '' : req.path.slice(question);
    const path = change?.kind === 'full' ? change.value : (rewrite?.(asked) ?? asked);
    const scheme = to.scheme ?? req.scheme;
    const [, host = '', given] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(req.authority) ?? [];
    // Another scheme has its own port, unless one is said.
    const port = to.port ?? (to.scheme === undefined && given !== undefined ? Number(given) : undefined);
    const usual = port === undefined || port === (scheme === 'https' ? 443 : 80);
    return `${scheme}://${to.host ?? host}${usual ? '' : `:${port}`}${path}${query}`;
  };
}
