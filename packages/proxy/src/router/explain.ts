import type { HttpRequest } from '@heddle/wire';
import type { RouteMatch } from '../model/route.ts';
import { type Asked, type Matcher, matcher, mismatch } from './condition.ts';
import { withoutSlash } from './normal-path.ts';
import { askedOf, ranked } from './router.ts';
import { isName } from './specificity.ts';

/** What one route makes of a request. */
export interface Explanation<R> {
  readonly route: R;
  /** `taken`: this one serves it; `shadowed`: it would, but a more specific one does; `no`: it does not match. */
  readonly verdict: 'taken' | 'shadowed' | 'no';
  readonly why: string;
}

/** Who asks, as far as it is known. */
export interface AskedBy {
  readonly subject?: string | undefined;
  readonly zone?: string | undefined;
  /** The server of `servers` that it has come to. */
  readonly server?: string | undefined;
}

/** Every route in order of specificity, and why it does or does not serve the request. Agrees with `Router`. */
export function explain<R extends { readonly match: RouteMatch; readonly name: string }>(
  routes: readonly R[],
  request: HttpRequest,
  by: AskedBy = {},
): Explanation<R>[] {
  const asked = askedOf(request, by.server);
  let taken: R | undefined;
  return ranked(routes).map(({ route, match }) => {
    const ready = matcher(match);
    const why =
      hostMismatch(match, asked) ??
      pathMismatch(ready, asked) ??
      mismatch(ready, asked) ??
      sourceMismatch(match, by);
    if (why !== undefined) return { route, verdict: 'no', why };
    if (taken !== undefined) return { route, verdict: 'shadowed', why: `${taken.name} is more specific` };
    taken = route;
    return { route, verdict: 'taken', why: `${match.path.kind} ${match.path.value}` };
  });
}

function sourceMismatch({ source }: RouteMatch, { subject, zone }: AskedBy): string | undefined {
  const { subjects = [], zones = [] } = source ?? {};
  if (zones.length > 0 && !zones.includes(zone ?? ''))
    return `the caller's zone is ${zone ?? 'not known'}, not ${zones.join(' or ')}`;
  if (subjects.length > 0 && !subjects.includes(subject ?? ''))
    return `the caller is ${subject ?? 'not known'}, not ${subjects.join(' or ')}`;
  return undefined;
}

function hostMismatch({ hosts }: RouteMatch, { host }: Asked): string | undefined {
  const wanted = hosts[0];
  if (wanted === undefined) return undefined;
  const fits = wanted.startsWith('*.') ? host.endsWith(wanted.slice(1)) : host === wanted;
  return fits ? undefined : `the host is ${host}, not ${wanted}`;
}

function pathMismatch({ match, path }: Matcher, asked: Asked): string | undefined {
  const { kind, value } = match.path;
  switch (kind) {
    case 'exact':
      return asked.path === value ? undefined : `the path is not ${value}`;
    case 'prefix': {
      const prefix = withoutSlash(value);
      const below = withoutSlash(asked.path) === prefix || asked.path.startsWith(`${prefix}/`);
      return below ? undefined : `the path is not ${value} or below it`;
    }
    case 'template':
      return fitsTemplate(value, asked.path) ? undefined : `the path does not fit ${value}`;
    case 'regex':
      return path?.matches(asked.path) === true ? undefined : `the path does not match ${value}`;
  }
}

function fitsTemplate(template: string, path: string): boolean {
  const [wanted, given] = [template.split('/'), path.split('/')];
  if (wanted.length !== given.length) return false;
  return wanted.every((segment, at) => (isName(segment) ? given[at] !== '' : given[at] === segment));
}
