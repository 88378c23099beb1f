import type { Layer } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';

/**
 * Which host the upstream is asked for: `pass`, the one that was asked for here; `upstream`, the instance's own address;
 * else this one. Undefined where nothing is to be done.
 */
export function forwardedHost(policy: string): Layer<HttpRequest, HttpResponse> | undefined {
  if (policy === 'pass') return undefined;
  // An upstream fills in its own where none is named.
  const authority = policy === 'upstream' ? '' : policy;
  return (next) => (req, call) => next({ ...req, authority }, call);
}
