import type {
  HttpDestination,
  HttpMatch,
  HttpRule,
  Path,
  ResourceOf,
  StringMatch,
} from '../../resources/index.ts';
import type { Check, Tell } from '../check.ts';

/** The rules of VirtualServices by themselves: actions, weights, order, expressions. */
export const httpRules: Check = (inventory, tell) => {
  for (const service of inventory.of('VirtualService')) {
    const { http = [], tls = [], tcp = [] } = service.spec;
    if (http.length + tls.length + tcp.length === 0) {
      tell('VIRTUAL_SERVICE_WITHOUT_ROUTES', service, ['spec'], 'there is no http, tls or tcp rule');
    }
    for (const [index, rule] of http.entries()) {
      const at: Path = ['spec', 'http', index];
      checkAction(service, rule, at, tell);
      checkShares(service, rule.route ?? [], at, tell);
      checkFaults(service, rule, at, tell);
      checkExpressions(service, rule, at, tell);
    }
    checkOrder(service, http, tell);
  }
};

function checkAction(service: ResourceOf<'VirtualService'>, rule: HttpRule, at: Path, tell: Tell): void {
  const { route = [], redirect, directResponse, delegate } = rule;
  if (route.length > 0 || redirect !== undefined || directResponse !== undefined || delegate !== undefined)
    return;
  tell('RULE_WITHOUT_ACTION', service, at, 'there is no route, redirect, directResponse or delegate');
}

function checkShares(
  service: ResourceOf<'VirtualService'>,
  route: readonly HttpDestination[],
  at: Path,
  tell: Tell,
): void {
  const [first] = route;
  if (route.length === 1 && first?.weight !== undefined && first.weight !== 100) {
    const message = `the weight ${first.weight} is assumed to be 100: it is the only destination`;
    tell('WEIGHT_OF_ONE', service, [...at, 'route', 0, 'weight'], message);
  }
  if (route.length > 1) checkWeights(service, route, at, tell);
  const seen = new Set<string>();
  for (const [index, { destination }] of route.entries()) {
    const key = `${destination.host} ${destination.subset ?? ''} ${destination.port?.number ?? ''}`;
    if (seen.has(key)) {
      const what = `${destination.host}${destination.subset === undefined ? '' : `, subset ${destination.subset}`}`;
      tell(
        'DESTINATION_DUPLICATE',
        service,
        [...at, 'route', index, 'destination'],
        `${what} is a destination already`,
      );
    }
    seen.add(key);
  }
}

function checkWeights(
  service: ResourceOf<'VirtualService'>,
  route: readonly HttpDestination[],
  at: Path,
  tell: Tell,
): void {
  const sum = route.reduce((total, { weight = 0 }) => total + weight, 0);
  const place = [...at, 'route'];
  if (sum === 0)
    tell('WEIGHTS_ALL_ZERO', service, place, `the weights of ${route.length} destinations are all 0`);
  else if (sum !== 100) tell('WEIGHTS_SUM', service, place, `the weights add up to ${sum}`);
}

function checkFaults(service: ResourceOf<'VirtualService'>, { fault }: HttpRule, at: Path, tell: Tell): void {
  for (const kind of ['delay', 'abort'] as const) {
    const value = fault?.[kind]?.percentage?.value;
    if (value === undefined || value <= 0 || value >= 1) continue;
    const path = [...at, 'fault', kind, 'percentage', 'value'];
    tell('FAULT_SHARE_SMALL', service, path, `${value} means ${value} percent of the requests`);
  }
}

function checkExpressions(service: ResourceOf<'VirtualService'>, rule: HttpRule, at: Path, tell: Tell): void {
  const check = (match: StringMatch | undefined, path: Path): void => {
    const problem = match?.regex === undefined ? undefined : regexProblem(match.regex);
    if (problem !== undefined) tell('INVALID_REGEX', service, [...path, 'regex'], problem);
  };
  for (const [index, match] of (rule.match ?? []).entries()) {
    const place = [...at, 'match', index];
    for (const field of ['uri', 'scheme', 'method', 'authority'] as const)
      check(match[field], [...place, field]);
    for (const field of ['headers', 'withoutHeaders', 'queryParams'] as const) {
      for (const [name, each] of Object.entries(match[field] ?? {})) check(each, [...place, field, name]);
    }
  }
  for (const [index, origin] of (rule.corsPolicy?.allowOrigins ?? []).entries()) {
    check(origin, [...at, 'corsPolicy', 'allowOrigins', index]);
  }
}

/** Why RE2 would refuse an expression; undefined if it would not. */
export function regexProblem(expression: string): string | undefined {
  const beyond = /\(\?(?:[=!]|<[=!])|\\[1-9]|\(\?>|[*+?}]\+/.exec(expression)?.[0];
  if (beyond !== undefined) return `"${beyond}" is not in RE2: ${expression}`;
  // RE2's flags and names are written otherwise in JavaScript.
  const here = expression
    .replaceAll('(?P<', '(?<')
    .replaceAll(/\(\?[imsU]+\)/g, '')
    .replaceAll(/\(\?[imsU]+:/g, '(?:');
  try {
    new RegExp(here);
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

/** The first rule that matches is taken: what stands below one that matches more is never reached. */
function checkOrder(service: ResourceOf<'VirtualService'>, rules: readonly HttpRule[], tell: Tell): void {
  const before: { readonly match: HttpMatch; readonly rule: number }[] = [];
  for (const [index, { match = [] }] of rules.entries()) {
    const at: Path = ['spec', 'http', index];
    const matches = match.length === 0 ? [{}] : match;
    const covered = matches.map((each) => before.find((earlier) => covers(earlier.match, each)));
    if (covered.every((each) => each !== undefined)) {
      const by = [...new Set(covered.map((each) => each?.rule))].join(', ');
      tell('RULE_UNREACHABLE', service, at, `http[${by}] takes all that this rule matches`);
    }
    for (const [number, each] of covered.entries()) {
      if (each === undefined || match.length === 0) continue;
      tell('MATCH_INEFFECTIVE', service, [...at, 'match', number], `http[${each.rule}] takes it already`);
    }
    for (const [number, each] of matches.entries()) {
      const twin = matches.slice(0, number).findIndex((other) => covers(other, each));
      if (twin >= 0)
        tell('MATCH_INEFFECTIVE', service, [...at, 'match', number], `match[${twin}] takes it already`);
      before.push({ match: each, rule: index });
    }
  }
}

/** True if every request that `inner` matches is matched by `outer`, as far as that can be told from the texts. */
export function covers(outer: HttpMatch, inner: HttpMatch): boolean {
  const { name: _name, statPrefix: _stat, ...conditions } = outer;
  return Object.entries(conditions).every(([field, value]) => {
    const other = inner[field as keyof HttpMatch];
    if (field === 'uri') return coversText(value as StringMatch, other as StringMatch | undefined);
    if (field === 'headers' || field === 'queryParams') {
      const inside = (other ?? {}) as Readonly<Record<string, StringMatch>>;
      return Object.entries(value as Readonly<Record<string, StringMatch>>).every(([key, each]) =>
        coversText(each, inside[key]),
      );
    }
    return JSON.stringify(value) === JSON.stringify(other);
  });
}

function coversText(outer: StringMatch, inner: StringMatch | undefined): boolean {
  if (inner === undefined) return outer.prefix === '/' || outer.prefix === '';
  if (Object.keys(outer).length === 0) return true;
  if (outer.prefix !== undefined) return (inner.exact ?? inner.prefix)?.startsWith(outer.prefix) === true;
  if (outer.exact !== undefined) return inner.exact === outer.exact;
  return outer.regex === '.*' || (outer.regex !== undefined && inner.regex === outer.regex);
}
