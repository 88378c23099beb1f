import { Fields, type HttpService, wholeBody } from '@heddle/wire';
import type { Action } from '../model/route.ts';

const encoder = new TextEncoder();

/** Answers a route that does not forward. A redirect to a path keeps the query. */
export function ownAnswer(action: Exclude<Action, { kind: 'forward' }>): HttpService {
  if (action.kind === 'respond') {
    const body = encoder.encode(action.body);
    return async () => ({
      status: action.status,
      fields: Fields.of({ 'content-type': action.contentType, 'x-content-type-options': 'nosniff' }),
      body: wholeBody(body),
    });
  }
  return async (req) => {
    const question = req.path.indexOf('?');
    const query = question === -1 || action.to.includes('?') ? '' : req.path.slice(question);
    const fields = Fields.of({ location: action.to + query });
    return { status: action.status, fields, body: wholeBody(new Uint8Array(0)) };
  };
}
