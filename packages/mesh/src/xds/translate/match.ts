import type {
  HeaderMatcherSchema,
  QueryParameterMatcherSchema,
  RouteMatchSchema,
} from '../../gen/envoy/config/route/v3/route_components_pb.ts';
import type { StringMatcherSchema } from '../../gen/envoy/type/matcher/v3/string_pb.ts';
import type { HeaderMatch, PathCondition, RuleMatch, StringMatch } from '../../model/match.ts';
import type { Init } from './message.ts';
import type { Plane } from './plane.ts';

type HeaderMatcher = Init<typeof HeaderMatcherSchema>;
type RouteMatch = Init<typeof RouteMatchSchema>;

/** A text to be compared, as Envoy has it. */
export function stringMatcher(
  { kind, value }: StringMatch,
  ignoreCase = false,
): Init<typeof StringMatcherSchema> {
  return kind === 'regex'
    ? { matchPattern: { case: 'safeRegex', value: { regex: value } } }
    : { matchPattern: { case: kind, value }, ignoreCase };
}

/** The conditions of one match; of several, one must hold. gRPC's clients know no segments: there it takes two. */
export function routeMatches(match: RuleMatch, plane: Plane): RouteMatch[] {
  const others: RouteMatch = {
    headers: headersOf(match),
    queryParameters: (match.query ?? []).map(queryOf),
  };
  return pathsOf(match.path, plane).map((path) => ({ ...others, ...path }));
}

function pathsOf(path: PathCondition | undefined, plane: Plane): RouteMatch[] {
  if (path === undefined) return [{ pathSpecifier: { case: 'prefix', value: '/' } }];
  const { kind, value, ignoreCase = false } = path;
  const caseSensitive = !ignoreCase;
  switch (kind) {
    case 'exact':
      return [{ pathSpecifier: { case: 'path', value }, caseSensitive }];
    case 'prefix':
      return [{ pathSpecifier: { case: 'prefix', value }, caseSensitive }];
    case 'regex':
      return [{ pathSpecifier: { case: 'safeRegex', value: { regex: value } } }];
    case 'segments': {
      const start = value.replace(/\/+$/, '');
      if (start === '') return [{ pathSpecifier: { case: 'prefix', value: '/' } }];
      if (plane === 'envoy')
        return [{ pathSpecifier: { case: 'pathSeparatedPrefix', value: start }, caseSensitive }];
      return [
        { pathSpecifier: { case: 'path', value: start }, caseSensitive },
        { pathSpecifier: { case: 'prefix', value: `${start}/` }, caseSensitive },
      ];
    }
  }
}

function headersOf({ method, authority, scheme, headers = [] }: RuleMatch): HeaderMatcher[] {
  const pseudo = (name: string, match: StringMatch | undefined): HeaderMatcher[] =>
    match === undefined
      ? []
      : [{ name, headerMatchSpecifier: { case: 'stringMatch', value: stringMatcher(match) } }];
  return [
    ...pseudo(':method', method),
    ...pseudo(':authority', authority),
    ...pseudo(':scheme', scheme),
    ...headers.map(headerOf),
  ];
}

function headerOf({ name, kind, value, not = false }: HeaderMatch): HeaderMatcher {
  if (kind === 'present' || kind === 'absent')
    return {
      name,
      headerMatchSpecifier: { case: 'presentMatch', value: (kind === 'present') !== not },
    };
  return {
    name,
    headerMatchSpecifier: { case: 'stringMatch', value: stringMatcher({ kind, value }) },
    invertMatch: not,
  };
}

function queryOf({
  name,
  kind,
  value,
}: NonNullable<RuleMatch['query']>[number]): Init<typeof QueryParameterMatcherSchema> {
  if (kind === 'present' || kind === 'absent')
    return { name, queryParameterMatchSpecifier: { case: 'presentMatch', value: kind === 'present' } };
  return {
    name,
    queryParameterMatchSpecifier: { case: 'stringMatch', value: stringMatcher({ kind, value }) },
  };
}
