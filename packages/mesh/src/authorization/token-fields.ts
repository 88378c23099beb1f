import type { HttpRequest } from '@heddle/wire';
import type { JwtRule } from '../model/index.ts';
import type { TokenClaims } from './request.ts';
import type { FoundToken } from './tokens.ts';

/** A token that was believed: by which rule, and where it was. */
export interface BelievedToken {
  readonly claims: TokenClaims;
  readonly rule: JwtRule;
  readonly found: FoundToken;
}

/** The fields in which services are told what tokens say. From outside nobody may say it. */
export function saidFields(rules: readonly JwtRule[]): readonly string[] {
  return rules.flatMap(({ outputPayloadToHeader, claimsToHeaders }) => [
    ...(outputPayloadToHeader === undefined ? [] : [outputPayloadToHeader.toLowerCase()]),
    ...claimsToHeaders.map(({ header }) => header.toLowerCase()),
  ]);
}

/** The request as the service gets it: what its token says in the fields that the rule names, and the token only if it says so. */
export function withTokenFields(
  request: HttpRequest,
  said: readonly string[],
  token: BelievedToken | undefined,
): HttpRequest {
  if (token === undefined && said.every((name) => !request.fields.has(name))) return request;
  const fields = request.fields.clone();
  for (const name of said) fields.delete(name);
  if (token === undefined) return { ...request, fields };
  const { rule, found, claims } = token;
  const { place, raw } = found;
  const isTaken = !rule.forwardOriginalToken;
  if (isTaken && place.in === 'header') fields.delete(place.name.toLowerCase());
  if (rule.outputPayloadToHeader !== undefined)
    fields.set(rule.outputPayloadToHeader.toLowerCase(), raw.split('.')[1] ?? '');
  for (const { header, claim } of rule.claimsToHeaders) {
    const value = claims.claims[claim];
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      fields.set(header.toLowerCase(), encodeURI(String(value)));
  }
  const path = isTaken && place.in === 'query' ? withoutParameter(request.path, place.name) : request.path;
  return { ...request, fields, path };
}

function withoutParameter(target: string, name: string): string {
  const question = target.indexOf('?');
  if (question === -1) return target;
  const kept = target
    .slice(question + 1)
    .split('&')
    .filter((pair) => decodedName(pair) !== name);
  return kept.length === 0 ? target.slice(0, question) : `${target.slice(0, question)}?${kept.join('&')}`;
}

function decodedName(pair: string): string {
  const [name] = new URLSearchParams(pair).keys();
  return name ?? '';
}
