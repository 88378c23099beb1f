import type { Layer } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import type { PathCondition, RuleRewrite } from '../model/index.ts';
import { compiledPattern } from './rule-test.ts';

type PathChange = (path: string) => string;

/** Changes path and authority before a request goes on. `matched`: what the rule's path was compared with. */
export function rewriteRule(
  { path, authority }: RuleRewrite,
  matched: PathCondition | undefined,
): Layer<HttpRequest, HttpResponse> {
  const change = path === undefined ? undefined : pathChange(path, matched);
  return (next) => (req, call) =>
    next(
      {
        ...req,
        ...(authority !== undefined && { authority }),
        ...(change !== undefined && { path: withQuery(req.path, change) }),
      },
      call,
    );
}

function withQuery(target: string, change: PathChange): string {
  const question = target.indexOf('?');
  if (question === -1) return change(target);
  return change(target.slice(0, question)) + target.slice(question);
}

function pathChange(path: NonNullable<RuleRewrite['path']>, matched: PathCondition | undefined): PathChange {
  const { to } = path;
  if (path.kind === 'regex') {
    const expression = compiledPattern(path.pattern);
    // Rules write groups as RE2 does: `\1`.
    const replacement = to.replaceAll('$', '$$$$').replace(/\\(\d)/g, '$$$1');
    return (text) => expression.replace(text, replacement);
  }
  switch (matched?.kind) {
    case 'prefix':
      return (text) => to + text.slice(matched.value.length);
    case 'segments': {
      const before = matched.value.replace(/\/$/, '').length;
      const base = to.replace(/\/$/, '');
      return (text) => base + text.slice(before) || '/';
    }
    case 'exact':
    case 'regex':
    case undefined:
      return () => to;
  }
}
