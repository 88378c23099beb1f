import type { Asked, Matcher } from './condition.ts';
import { withoutSlash } from './normal-path.ts';
import { isName } from './specificity.ts';

/** A route as the tables hold it. */
export interface Entry {
  readonly matcher: Matcher;
}

interface TemplateNode<E> {
  readonly plain: Map<string, TemplateNode<E>>;
  named: TemplateNode<E> | undefined;
  readonly entries: E[];
}

type Take<E> = (entry: E) => boolean;

/**
 * The routes of one host by path. Entries are added in order of specificity, and offered in that order: each look-up
 * costs as the path's segments do, not as the routes; but for regular expressions, which are tried one by one.
 */
export class PathTable<E extends Entry> {
  readonly #exact = new Map<string, E[]>();
  readonly #templates: TemplateNode<E> = { plain: new Map(), named: undefined, entries: [] };
  readonly #expressions: E[] = [];
  readonly #prefixes = new Map<string, E[]>();

  add(entry: E): void {
    const { kind, value } = entry.matcher.match.path;
    if (kind === 'exact') listed(this.#exact, value).push(entry);
    else if (kind === 'template') leaf(this.#templates, value.split('/')).entries.push(entry);
    else if (kind === 'regex') this.#expressions.push(entry);
    else listed(this.#prefixes, withoutSlash(value)).push(entry);
  }

  /** The first entry whose path fits and that `take` takes. */
  find(asked: Asked, take: Take<E>): E | undefined {
    const { path } = asked;
    const exact = this.#exact.get(path)?.find(take);
    if (exact !== undefined) return exact;
    const { plain, named } = this.#templates;
    if (plain.size > 0 || named !== undefined) {
      const found = descend(this.#templates, path.split('/'), 0, take);
      if (found !== undefined) return found;
    }
    for (const entry of this.#expressions)
      if (entry.matcher.path?.matches(path) === true && take(entry)) return entry;
    return this.#byPrefix(path, take);
  }

  #byPrefix(path: string, take: Take<E>): E | undefined {
    let prefix = withoutSlash(path);
    for (;;) {
      const found = this.#prefixes.get(prefix)?.find(take);
      if (found !== undefined || prefix === '') return found;
      prefix = prefix.slice(0, prefix.lastIndexOf('/'));
    }
  }
}

function leaf<E>(root: TemplateNode<E>, segments: readonly string[]): TemplateNode<E> {
  let node = root;
  for (const segment of segments) {
    const next = isName(segment) ? node.named : node.plain.get(segment);
    const made = next ?? { plain: new Map(), named: undefined, entries: [] };
    if (next === undefined && isName(segment)) node.named = made;
    else if (next === undefined) node.plain.set(segment, made);
    node = made;
  }
  return node;
}

function descend<E>(
  node: TemplateNode<E>,
  path: readonly string[],
  at: number,
  take: Take<E>,
): E | undefined {
  const segment = path[at];
  if (segment === undefined) return node.entries.find(take);
  const plain = node.plain.get(segment);
  const found = plain === undefined ? undefined : descend(plain, path, at + 1, take);
  if (found !== undefined || node.named === undefined || segment === '') return found;
  return descend(node.named, path, at + 1, take);
}

function listed<E>(map: Map<string, E[]>, key: string): E[] {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made: E[] = [];
  map.set(key, made);
  return made;
}
