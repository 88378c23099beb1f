import type { HttpRequest } from '@heddle/wire';
import { checkedPattern, type Pattern } from '../model/pattern.ts';
import type { RouteMatch, ValueMatch } from '../model/route.ts';
import { onListen } from '../model/server.ts';

/** What of a request is compared with routes; taken apart once. */
export interface Asked {
  /** See `hostOf`. */
  readonly host: string;
  readonly method: string;
  /** In normal form, without query. */
  readonly path: string;
  readonly request: HttpRequest;
  /** Fields, in lower case, that will be there, nobody knows with which value: conditions on them count as met. */
  readonly announced?: ReadonlySet<string> | undefined;
  /** The server of `servers` that it has come to; undefined: it came by `listen`. */
  readonly server: string | undefined;
  /** Of the query. Asked for only by routes that look at it. */
  query(): URLSearchParams;
}

/** A route's match, ready to be compared. */
export interface Matcher {
  readonly match: RouteMatch;
  readonly path: Pattern | undefined;
  readonly headers: readonly Condition[];
  readonly query: readonly Condition[];
}

interface Condition {
  readonly rule: ValueMatch;
  readonly pattern: Pattern | undefined;
}

/** Makes a match ready. */
export function matcher(match: RouteMatch): Matcher {
  const condition = (rule: ValueMatch): Condition => ({
    rule,
    pattern: rule.kind === 'regex' ? checkedPattern(rule.value) : undefined,
  });
  return {
    match,
    path: match.path.kind === 'regex' ? checkedPattern(match.path.value) : undefined,
    headers: match.headers.map(condition),
    query: match.query.map(condition),
  };
}

/** Why a request whose host and path fit is not one for this match; undefined if it is. */
export function mismatch({ match, headers, query }: Matcher, asked: Asked): string | undefined {
  const { methods, servers } = match;
  if (servers === undefined ? asked.server !== undefined : !servers.includes(asked.server ?? onListen))
    return `it is for ${(servers ?? [onListen]).join(' and ')}`;
  if (methods.length > 0 && !methods.includes(asked.method))
    return `the method is ${asked.method}, not ${methods.join(' or ')}`;
  for (const { rule, pattern } of headers) {
    if (asked.announced?.has(rule.name) === true) continue;
    if (!holds(rule, pattern, asked.request.fields.all(rule.name))) return why('header', rule);
  }
  if (query.length === 0) return undefined;
  const parameters = asked.query();
  for (const { rule, pattern } of query) {
    if (!holds(rule, pattern, parameters.getAll(rule.name))) return why('query parameter', rule);
  }
  return undefined;
}

function holds({ kind, value }: ValueMatch, pattern: Pattern | undefined, found: readonly string[]): boolean {
  switch (kind) {
    case 'present':
      return found.length > 0;
    case 'absent':
      return found.length === 0;
    case 'exact':
      return found.includes(value);
    case 'prefix':
      return found.some((each) => each.startsWith(value));
    case 'regex':
      return found.some((each) => pattern?.matches(each) === true);
  }
}

function why(what: string, { name, kind, value }: ValueMatch): string {
  switch (kind) {
    case 'present':
      return `the ${what} ${name} is missing`;
    case 'absent':
      return `the ${what} ${name} is there`;
    case 'exact':
      return `the ${what} ${name} is not ${JSON.stringify(value)}`;
    case 'prefix':
      return `the ${what} ${name} does not begin with ${JSON.stringify(value)}`;
    case 'regex':
      return `the ${what} ${name} does not match ${value}`;
  }
}
