import { type TextTest, textPattern } from './text-pattern.ts';

// What a segment may hold, as Envoy's URI templates say: pchar of RFC 3986.
const glyph = "[a-zA-Z0-9\\-._~%!$&'()+,;:@=]";

/** True for `/a/{*}` and `/a/{**}`: a template, not a pattern with `*` at an end. */
export function isPathTemplate(pattern: string): boolean {
  return pattern.includes('{*}') || pattern.includes('{**}');
}

/** Why a template is not valid; undefined if it is. */
export function pathTemplateProblem(pattern: string): string | undefined {
  const segments = pattern.split('/');
  const operators: readonly string[] = segments.filter((segment) => segment === '{*}' || segment === '{**}');
  const strays = segments.filter((segment) => /[*{}]/.test(segment) && !operators.includes(segment));
  if (strays.length > 0) return `"${strays[0]}" is neither {*} nor {**} nor free of *, { and }`;
  const any = operators.indexOf('{**}');
  return any >= 0 && any < operators.length - 1 ? '{**} must be the last operator' : undefined;
}

/**
 * How a path is compared, query and fragment aside: a template, or as any text. `{*}` is one segment that is not
 * empty, `{**}` any number of characters over segments.
 */
export function pathPattern(pattern: string): TextTest {
  const test = isPathTemplate(pattern) ? templatePattern(pattern) : textPattern(pattern);
  return (path) => test(withoutQuery(path));
}

function templatePattern(pattern: string): TextTest {
  if (pathTemplateProblem(pattern) !== undefined) return () => false;
  const segments = pattern.split('/').map((segment) => {
    if (segment === '{*}') return `${glyph}+`;
    if (segment === '{**}') return `(?:${glyph}|/)*`;
    return segment.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  });
  const whole = new RegExp(`^${segments.join('/')}$`);
  return (path) => whole.test(path);
}

function withoutQuery(path: string): string {
  const end = path.search(/[?#]/);
  return end < 0 ? path : path.slice(0, end);
}
