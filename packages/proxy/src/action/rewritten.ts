import type { Layer } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import type { Rewrite } from '../model/route.ts';
import { pathRewrite } from '../router/rewrite.ts';

/** Changes the path of what goes on; the query stays as it is. */
export function rewritten(rewrite: Rewrite, matched: string): Layer<HttpRequest, HttpResponse> {
  const change = pathRewrite(rewrite, matched);
  return (next) => async (req, call) => {
    const question = req.path.indexOf('?');
    const path = question === -1 ? req.path : req.path.slice(0, question);
    const query = question === -1 ? '' : req.path.slice(question);
    return next({ ...req, path: change(path) + query }, call);
  };
}
