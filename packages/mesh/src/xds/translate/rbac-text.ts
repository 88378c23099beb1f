import type { HeaderMatcherSchema } from '../../gen/envoy/config/route/v3/route_components_pb.ts';
import type { StringMatcherSchema } from '../../gen/envoy/type/matcher/v3/string_pb.ts';
import type { Init } from './message.ts';

type StringMatcher = Init<typeof StringMatcherSchema>;

/** A value of a policy: `*` alone is any that is not empty, `a*` and `*a` are its start and its end. `before` is put in front. */
export function policyText(value: string, before = '', ignoreCase = false): StringMatcher {
  if (value === '*') return regex('.+');
  if (value.startsWith('*')) {
    const end = value.slice(1);
    return before === ''
      ? { matchPattern: { case: 'suffix', value: end }, ignoreCase }
      : regex(`${escaped(before)}.*${escaped(end)}`);
  }
  if (value.endsWith('*'))
    return { matchPattern: { case: 'prefix', value: `${before}${value.slice(0, -1)}` }, ignoreCase };
  return { matchPattern: { case: 'exact', value: `${before}${value}` }, ignoreCase };
}

/** A path: as above, and `{*}` for one segment, `{**}` for any number of them. */
export function policyPath(value: string): StringMatcher {
  if (!value.includes('{*}') && !value.includes('{**}')) return policyText(value);
  const parts = value.split(/(\{\*\*?\})/).map((part) => {
    if (part === '{*}') return '[^/]+';
    return part === '{**}' ? '.*' : escaped(part);
  });
  return regex(parts.join(''));
}

/** A header's value. Any value at all, an empty one too, is that it is there. */
export function policyHeader(
  name: string,
  value: string,
  ignoreCase = false,
): Init<typeof HeaderMatcherSchema> {
  if (value === '*') return { name, headerMatchSpecifier: { case: 'presentMatch', value: true } };
  return { name, headerMatchSpecifier: { case: 'stringMatch', value: policyText(value, '', ignoreCase) } };
}

/** A text that matches all of it. */
export function regex(text: string): StringMatcher {
  return { matchPattern: { case: 'safeRegex', value: { regex: text } } };
}

/** A text in a regular expression that stands for itself. */
export function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
