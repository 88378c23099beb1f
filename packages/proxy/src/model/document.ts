import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  parseDocument,
} from 'yaml';
import type { ConfigProblem } from './problem.ts';

/** How a value of a document is read: gives the value, or undefined after it has reported what is wrong. */
export type Read<T> = (at: Place) => T | undefined;

/** A value in a document, and how it is reported about. */
export class Place {
  readonly node: Node | undefined;
  readonly path: string;
  readonly #document: DocumentReader;

  constructor(document: DocumentReader, node: Node | undefined, path: string) {
    this.#document = document;
    this.node = node;
    this.path = path;
  }

  /** The value as plain data, for messages. */
  get shown(): string {
    if (this.node === undefined) return 'nothing';
    // What a terminal would take for commands is not shown as it is.
    const text = (JSON.stringify(this.node.toJSON()) ?? 'nothing').replaceAll(/[\u007f-\u009f]/g, '?');
    return text.length > 80 ? `${text.slice(0, 80)}…` : text;
  }

  /** True for a single value, false for a list or an object. */
  get isScalar(): boolean {
    return isScalar(this.node) || isAlias(this.node);
  }

  /** The value as plain data. */
  get plain(): unknown {
    return this.node?.toJSON();
  }

  /** The value of a key of an object; undefined where there is none. */
  key(name: string): Place | undefined {
    if (!isMap<Node, Node>(this.node)) return undefined;
    const node = this.node.items.find(({ key }) => isScalar(key) && key.value === name)?.value;
    return node === undefined || node === null
      ? undefined
      : this.below(node, this.path === '' ? name : `${this.path}.${name}`);
  }

  /** The values of a list, each with a path of its own; undefined where it is none. */
  items(path: (index: number) => string): Place[] | undefined {
    return isSeq<Node>(this.node)
      ? this.node.items.map((node, index) => this.below(node, path(index)))
      : undefined;
  }

  /** Reports a problem here. Gives undefined, so that a reader can return it. */
  problem(message: string): undefined {
    this.#document.report(this.node, this.path, message);
    return undefined;
  }

  /** "expected …, found …" here. */
  expected(what: string): undefined {
    return this.problem(`expected ${what}, found ${this.shown}`);
  }

  /** The same value, whose problems nobody hears of: to read again what has been reported about. */
  silent(): Place {
    return new Place(new DocumentReader(''), this.node, this.path);
  }

  /** The value of a key or an index below this one; `path` as people write it. */
  below(node: Node | undefined, path: string): Place {
    return new Place(this.#document, node, path);
  }
}

/** Reads one YAML (or JSON) document and gathers all its problems with line and column. */
export class DocumentReader {
  readonly problems: ConfigProblem[] = [];
  readonly root: Place;
  /** False where the text has mistakes of syntax. */
  readonly isYaml: boolean;
  readonly #lines: LineCounter;

  /** The documents of a file of several, separated by `---`; those that are empty are left out. */
  static several(text: string): DocumentReader[] {
    const lines = new LineCounter();
    const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
    return (Array.isArray(parsed) ? parsed : [])
      .filter(({ contents, errors }) => !isEmpty(contents) || errors.length > 0)
      .map((document) => new DocumentReader(text, { document, lines }));
  }

  constructor(text: string, parsed?: { readonly document: Document.Parsed; readonly lines: LineCounter }) {
    this.#lines = parsed?.lines ?? new LineCounter();
    const document =
      parsed?.document ??
      parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true });
    for (const { pos, message } of [...document.errors, ...document.warnings]) this.#add(pos[0], '', message);
    this.isYaml = document.errors.length === 0;
    this.root = new Place(this, document.contents ?? undefined, '');
  }

  report(node: Node | undefined, path: string, message: string): void {
    this.#add(node?.range?.[0] ?? 0, path, message);
  }

  #add(offset: number, at: string, message: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.problems.push({ line: Math.max(line, 1), column: Math.max(col, 1), at, message });
  }
}

/** A text; `holds` and `what` narrow it down. */
export function text(what: string, holds: (value: string) => boolean = () => true): Read<string> {
  return (at) => {
    const value = scalar(at);
    return typeof value === 'string' && holds(value) ? value : at.expected(what);
  };
}

/** A whole number within bounds. */
export function whole(least: number, most: number): Read<number> {
  return (at) => {
    const value = scalar(at);
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
    return fits ? value : at.expected(`a whole number from ${least} to ${most}`);
  };
}

/** A number within bounds, with fractions. */
export function number(least: number, most: number): Read<number> {
  return (at) => {
    const value = scalar(at);
    const fits = typeof value === 'number' && value >= least && value <= most;
    return fits ? value : at.expected(`a number from ${least} to ${most}`);
  };
}

/** True or false. */
export const flag: Read<boolean> = (at) => {
  const value = scalar(at);
  return typeof value === 'boolean' ? value : at.expected('true or false');
};

/** One of some words. */
export function oneOf<T extends string>(...words: readonly T[]): Read<T> {
  return (at) => {
    const value = scalar(at);
    return words.find((word) => word === value) ?? at.expected(`one of ${words.join(', ')}`);
  };
}

/** An object with any keys that `name` allows, each value read by `item`; in the order of the document. */
export function record<T>(
  what: string,
  name: (key: string) => boolean,
  item: Read<T>,
): Read<readonly (readonly [string, T])[]> {
  return (at) => {
    if (!isMap<Node, Node>(at.node)) return at.expected(`an object from ${what} to values`);
    const entries: (readonly [string, T])[] = [];
    for (const { key, value: node } of at.node.items) {
      const text = isScalar(key) ? String(key.value) : '';
      const path = `${at.path}.${text}`;
      if (!name(text)) at.below(key, path).problem(`expected ${what}, found ${JSON.stringify(text)}`);
      const value = item(at.below(node ?? key, path));
      if (value !== undefined) entries.push([text, value]);
    }
    return entries;
  };
}

/** A list, each item read on its own, so that one bad item does not hide the problems of the next. */
export function list<T>(item: Read<T>, most: number): Read<T[]> {
  return (at) => {
    if (!isSeq<Node>(at.node)) return at.expected('a list');
    if (at.node.items.length > most)
      return at.problem(`expected at most ${most} items, found ${at.node.items.length}`);
    const values = at.node.items.map((node, index) => item(at.below(node, `${at.path}[${index}]`)));
    return values.filter((value) => value !== undefined);
  };
}

/** How each key of an object is read; a key that is not here is a problem. */
export type Shape<T> = { readonly [K in keyof T]-?: Read<NonNullable<T[K]>> };

/** A closed object: `required` keys must be there, no others than those of `shape` may. */
export function object<T extends object>(shape: Shape<T>, required: readonly (keyof T & string)[]): Read<T> {
  const known = Object.keys(shape);
  return (at) => {
    if (!isMap<Node, Node>(at.node)) return at.expected(`an object with ${known.join(', ')}`);
    const value: Record<string, unknown> = {};
    let complete = true;
    for (const { key, value: node } of at.node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      const path = at.path === '' ? name : `${at.path}.${name}`;
      const read = Object.hasOwn(shape, name) ? (shape as Record<string, Read<unknown>>)[name] : undefined;
      if (read === undefined) {
        at.below(key, path).problem(unknownKey(name, known));
        continue;
      }
      value[name] = read(at.below(node ?? key, path));
      complete &&= value[name] !== undefined;
    }
    for (const name of required) {
      if (at.node.has(name)) continue;
      complete = at.problem(`the key "${name}" is missing`) ?? false;
    }
    return complete ? (value as T) : undefined;
  };
}

/** As after a `---` that ends a file. */
function isEmpty(contents: unknown): boolean {
  return contents === null || (isScalar(contents) && contents.value === null);
}

function scalar(at: Place): unknown {
  // Aliases could make a small document huge, and a position ambiguous; configuration does without them.
  if (isAlias(at.node)) return at.problem('anchors and aliases are not supported: write the value out');
  return isScalar(at.node) ? at.node.value : undefined;
}

function unknownKey(name: string, known: readonly string[]): string {
  const near = known.find((each) => distance(each.toLowerCase(), name.toLowerCase()) <= 2);
  const hint = near === undefined ? `known keys are ${known.join(', ')}` : `did you mean "${near}"?`;
  return `unknown key "${name}": ${hint}`;
}

/** Levenshtein's edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
