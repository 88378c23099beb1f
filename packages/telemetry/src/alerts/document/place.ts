import { HeddleError } from '@heddle/kernel';
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

/** A document of YAML, and all that is wrong with it so far. */
export class YamlText {
  readonly #name: string;
  readonly #lines: LineCounter = new LineCounter();
  readonly #problems: { readonly offset: number; readonly text: string }[] = [];
  readonly root: Place;

  /** `name`: what people know it by, usually its path. */
  constructor(name: string, text: string) {
    this.#name = name;
    const document = parseDocument<Node>(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: true,
    });
    for (const error of document.errors) this.report(error.pos[0], error.message.split('\n', 1)[0] ?? '');
    this.root = new Place(this, document.contents ?? undefined, '', 0);
  }

  report(offset: number, message: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.#problems.push({ offset, text: `${this.#name}:${line}:${col}: ${message}` });
  }

  /** Throws `invalid_argument` with `reason` and every problem, each with its line and column, if there is any. */
  check(reason: string): void {
    const count = this.#problems.length;
    if (count === 0) return;
    const texts = this.#problems.toSorted((a, b) => a.offset - b.offset).map(({ text }) => text);
    const message = count === 1 ? (texts[0] ?? '') : `${count} problems\n  ${texts.join('\n  ')}`;
    throw new HeddleError({ code: 'invalid_argument', reason, message, sent: false });
  }
}

/** A value in a document, read with complaints that say where. */
export class Place {
  readonly #text: YamlText;
  readonly #node: Node | undefined;
  readonly #path: string;
  readonly #offset: number;

  constructor(text: YamlText, node: Node | undefined, path: string, offset: number) {
    this.#text = text;
    this.#node = node;
    this.#path = path;
    this.#offset = node?.range?.[0] ?? offset;
  }

  /** Whether there is anything. */
  get exists(): boolean {
    return this.#node !== undefined && !(isScalar(this.#node) && this.#node.value === null);
  }

  problem(message: string): undefined {
    this.#text.report(this.#offset, this.#path === '' ? message : `${this.#path}: ${message}`);
    return undefined;
  }

  expected(what: string): undefined {
    const shown = JSON.stringify(this.#node?.toJSON()) ?? 'nothing';
    return this.problem(`expected ${what}, found ${shown.slice(0, 80)}`);
  }

  /** The value of a key, there or not. */
  key(name: string): Place {
    const pair = isMap<Node, Node>(this.#node)
      ? this.#node.items.find(({ key }) => isScalar(key) && key.value === name)
      : undefined;
    const path = this.#path === '' ? name : `${this.#path}.${name}`;
    return new Place(this.#text, pair?.value ?? undefined, path, this.#offset);
  }

  /** Complains about what is no object, and about keys that are not among these. */
  keys(known: readonly string[]): boolean {
    if (!isMap<Node, Node>(this.#node)) {
      this.expected('an object');
      return false;
    }
    for (const { key } of this.#node.items) {
      if (isScalar(key) && known.includes(String(key.value))) continue;
      const at = new Place(this.#text, key, this.#path, this.#offset);
      at.problem(`unknown key ${JSON.stringify(key.toJSON())}; known are ${known.join(', ')}`);
    }
    return true;
  }

  /** The items of a list; none where there is nothing. */
  items(): readonly Place[] {
    if (!this.exists) return [];
    if (isSeq<Node>(this.#node))
      return this.#node.items.map(
        (node, at) => new Place(this.#text, node, `${this.#path}[${at}]`, this.#offset),
      );
    this.expected('a list');
    return [];
  }

  text(): string | undefined {
    if (!this.exists) return undefined;
    const value: unknown = isScalar(this.#node) ? this.#node.value : undefined;
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
      return String(value);
    return this.expected('a text');
  }

  requiredText(): string {
    if (!this.exists) this.expected('a text');
    return this.text() ?? '';
  }

  flag(fallback: boolean): boolean {
    if (!this.exists) return fallback;
    if (isScalar(this.#node) && typeof this.#node.value === 'boolean') return this.#node.value;
    this.expected('true or false');
    return fallback;
  }

  whole(fallback: number): number {
    const text = this.text();
    if (text === undefined) return fallback;
    if (/^\d{1,9}$/.test(text)) return Number(text);
    this.expected('a whole number');
    return fallback;
  }

  texts(): readonly string[] {
    return this.items().map((each) => each.requiredText());
  }

  /** Texts by name, each with its place. */
  entries(): readonly (readonly [name: string, place: Place])[] {
    if (!this.exists) return [];
    if (isMap<Node, Node>(this.#node))
      return this.#node.items.map(({ key }) => {
        const name = String(key.toJSON());
        return [name, this.key(name)] as const;
      });
    this.expected('an object');
    return [];
  }
}
