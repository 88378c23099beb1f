import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
} from 'yaml';
import type { Position } from './finding.ts';
import type { Path } from './shape.ts';

/** A mistake in the text itself. */
export interface SyntaxProblem extends Position {
  readonly message: string;
}

/** One document of a file: its plain data, and where each part of it is written. */
export class SourceDocument {
  readonly file: string;
  readonly data: unknown;
  readonly problems: readonly SyntaxProblem[];
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  readonly #root: Path;

  constructor(
    file: string,
    document: Document.Parsed,
    lines: LineCounter,
    root: Path = [],
    problems?: readonly SyntaxProblem[],
  ) {
    this.file = file;
    this.#document = document;
    this.#lines = lines;
    this.#root = root;
    this.problems =
      problems ??
      [...document.errors, ...document.warnings].map(({ pos, message }) => ({
        ...this.#position(pos[0]),
        message,
      }));
    this.data = plainData(document);
  }

  /** Where a part is written: its key, or the item of a list; for what is absent the nearest part around it. */
  at(path: Path): Position {
    let node: unknown = this.#document.contents;
    let offset = (this.#document.contents as Node | null)?.range?.[0] ?? this.#document.range[0];
    for (const step of [...this.#root, ...path]) {
      if (isAlias(node)) node = node.resolve(this.#document);
      const next = childOf(node, step);
      if (next === undefined) break;
      offset = next.offset;
      node = next.node;
    }
    return this.#position(offset);
  }

  /** The same text, a part of which is an object of its own (an item of a List). */
  below(path: Path): SourceDocument {
    return new SourceDocument(this.file, this.#document, this.#lines, [...this.#root, ...path]);
  }

  /** The same document, read from a mended text: with the problems of the text as it is. */
  withProblems(problems: readonly SyntaxProblem[]): SourceDocument {
    return new SourceDocument(this.file, this.#document, this.#lines, this.#root, problems);
  }

  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

/** The documents of a text, also of one with mistakes in it; those that are empty are left out. */
export function readDocuments(file: string, text: string): readonly SourceDocument[] {
  const documents = parse(file, text);
  if (documents.every(({ problems }) => problems.length === 0)) return documents;
  // A text that is being edited is often only indented wrongly: its mistakes are told, and the rest is still read.
  const mended = parse(file, mendIndentation(text));
  if (mended.length !== documents.length || mended.some(({ problems }) => problems.length > 0))
    return documents;
  return mended.map((document, index) => document.withProblems(documents[index]?.problems ?? []));
}

function parse(file: string, text: string): readonly SourceDocument[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  return (Array.isArray(parsed) ? parsed : [])
    .filter(({ contents, errors }) => contents !== null || errors.length > 0)
    .map((document) => new SourceDocument(file, document, lines));
}

/** Moves a block that is deeper than the plain value before it to where that value's key is. Lines stay lines. */
function mendIndentation(text: string): string {
  let key = -1;
  let less = 0;
  let from = 0;
  return text
    .split('\n')
    .map((line) => {
      const indent = line.search(/\S/);
      if (indent < 0) return line;
      if (indent < from) less = 0;
      if (less === 0 && key >= 0 && indent > key && /^\s*(?:- )?[\w-]+:(?: |$)/.test(line)) {
        [less, from] = [indent - key, indent];
      }
      const moved = line.slice(less);
      const pair = /^(\s*(?:- )*)[\w-]+: *[^\s|>&*{["'].*$/.exec(moved);
      key = pair === null ? -1 : (pair[1] ?? '').length;
      return moved;
    })
    .join('\n');
}

function childOf(node: unknown, step: string | number): { node: unknown; offset: number } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
    const key = pair?.key as Node | undefined;
    return pair === undefined ? undefined : { node: pair.value, offset: key?.range?.[0] ?? 0 };
  }
  if (!isSeq(node) || typeof step !== 'number') return undefined;
  const item = node.items[step] as Node | undefined;
  return item === undefined ? undefined : { node: item, offset: item.range?.[0] ?? 0 };
}

/** A document with mistakes may not be convertible; what of it is unreadable has been reported. */
function plainData(document: Document.Parsed): unknown {
  try {
    // 100 is yaml's own bound against documents that grow by their aliases.
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    return undefined;
  }
}
