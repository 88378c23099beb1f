// The runnable examples of the documentation: what a page shows is what a reader gets.

/** A fenced block of TypeScript marked `run`, and the output that the page promises for it. */
export interface DocExample {
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly code: string;
  /** The text of the `text output` block that follows; undefined if the page promises none. */
  readonly output: string | undefined;
}

const opening = /^```ts run$/;
const promised = /^```text output$/;
const closing = /^```$/;

/** Finds the examples of a page, in order. Throws on a fence that does not close. */
export function docExamples(markdown: string): DocExample[] {
  const lines = markdown.split('\n');
  const examples: DocExample[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (!opening.test(lines[at] ?? '')) continue;
    const line = at + 1;
    const code = block(lines, at);
    at = code.end;
    const next = lines.findIndex((text, index) => index > at && text.trim() !== '');
    const output = next > 0 && promised.test(lines[next] ?? '') ? block(lines, next) : undefined;
    examples.push({ line, code: code.text, output: output?.text });
  }
  return examples;
}

function block(lines: readonly string[], start: number): { text: string; end: number } {
  const end = lines.findIndex((line, index) => index > start && closing.test(line));
  if (end < 0) throw new Error(`the fence of line ${start + 1} does not close`);
  return { text: `${lines.slice(start + 1, end).join('\n')}\n`, end };
}
