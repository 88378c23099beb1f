/** A path of `google.api.http`, ready to be compared with paths. */
export interface PathTemplate {
  readonly segments: readonly Segment[];
  /** What follows the last segment after a colon: `cancel` of `/v1/{name=jobs/*}:cancel`. */
  readonly verb: string | undefined;
  readonly variables: readonly Variable[];
}

type Segment =
  | { readonly kind: 'literal'; readonly value: string }
  /** `*`: one segment that is not empty. `**`: all that are left, or none. */
  | { readonly kind: 'one' | 'rest' };

interface Variable {
  /** The field that it sets, step by step. */
  readonly field: readonly string[];
  /** The segments that it stands for. */
  readonly from: number;
  readonly to: number;
}

const name = /^[a-zA-Z_][a-zA-Z0-9_]*(\.[a-zA-Z_][a-zA-Z0-9_]*)*$/;
const literal = /^[A-Za-z0-9\-._~!$&'()+,@%]+$/;

/**
 * Reads a template (google/api/http.proto, "Path template syntax"). Gives a text that says what is wrong for what is
 * none: variables do not nest, `**` comes last.
 */
export function parseTemplate(text: string): PathTemplate | string {
  if (!text.startsWith('/')) return 'it does not start with "/"';
  const colon = text.lastIndexOf(':');
  const isVerb = colon > Math.max(text.lastIndexOf('/'), text.lastIndexOf('}'));
  const verb = isVerb ? text.slice(colon + 1) : undefined;
  if (verb !== undefined && !literal.test(verb)) return 'its verb is no literal';
  const segments: Segment[] = [];
  const variables: Variable[] = [];
  // A slash inside of braces belongs to the variable.
  const parts = text.slice(1, isVerb ? colon : undefined).match(/(?:\{[^}]*\}|[^/{}]|[{}])+/g) ?? [];
  if (`/${parts.join('/')}` !== (isVerb ? text.slice(0, colon) : text)) return 'it has an empty segment';
  for (const part of parts) {
    const inner = /^\{([^{}=]+)(?:=([^{}]*))?\}$/.exec(part);
    const from = segments.length;
    for (const each of inner === null ? [part] : (inner[2] ?? '*').split('/')) {
      const segment = segmentOf(each);
      if (segment === undefined) return `${JSON.stringify(each)} is no segment`;
      if (segments.at(-1)?.kind === 'rest') return '"**" is not its last segment';
      segments.push(segment);
    }
    if (inner === null) continue;
    const [, field = ''] = inner;
    if (!name.test(field)) return `${JSON.stringify(field)} is no field`;
    variables.push({ field: field.split('.'), from, to: segments.length });
  }
  return { segments, verb, variables };
}

function segmentOf(text: string): Segment | undefined {
  if (text === '*') return { kind: 'one' };
  if (text === '**') return { kind: 'rest' };
  return literal.test(text) ? { kind: 'literal', value: text } : undefined;
}

/** What a path sets by a template; undefined where it does not fit. The path is in normal form, without query. */
export function matchTemplate(
  { segments, verb, variables }: PathTemplate,
  path: string,
): { readonly field: readonly string[]; readonly value: string }[] | undefined {
  let rest = path;
  if (verb !== undefined) {
    if (!path.endsWith(`:${verb}`)) return undefined;
    rest = path.slice(0, -verb.length - 1);
  }
  const given = rest.slice(1).split('/');
  const open = segments.at(-1)?.kind === 'rest';
  if (open ? given.length < segments.length - 1 : given.length !== segments.length) return undefined;
  const fits = segments.every((segment, at) => {
    if (segment.kind === 'rest') return true;
    return segment.kind === 'literal' ? given[at] === segment.value : given[at] !== '';
  });
  if (!fits) return undefined;
  return variables.map(({ field, from, to }) => {
    const end = segments[to - 1]?.kind === 'rest' ? given.length : to;
    return { field, value: given.slice(from, end).map(decoded).join('/') };
  });
}

/** Orders two templates, the more specific first: with a verb, then plain segments before `*` before `**`, from the left. */
export function byTemplate(a: PathTemplate, b: PathTemplate): number {
  if ((a.verb === undefined) !== (b.verb === undefined)) return a.verb === undefined ? 1 : -1;
  const rank = { literal: 0, one: 1, rest: 2 };
  for (let at = 0; at < Math.max(a.segments.length, b.segments.length); at++) {
    const [left, right] = [a.segments[at], b.segments[at]];
    if (left === undefined || right === undefined) return left === undefined ? 1 : -1;
    if (left.kind !== right.kind) return rank[left.kind] - rank[right.kind];
  }
  return 0;
}

/** Percent triplets that are no UTF-8 stay as they are. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
