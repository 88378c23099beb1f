// What a reader of the tutorial types: its blocks without a language. Programs, with one, are run by the documentation's tests.

/** Commands that are typed into one terminal, and the line of the page on which they begin. */
export interface Block {
  readonly line: number;
  readonly text: string;
}

/** The blocks of a page, in order. */
export function tutorialBlocks(page: string): Block[] {
  return [...page.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)]
    .filter(([, language]) => language === '')
    .map(({ index, 2: text = '' }) => ({
      line: page.slice(0, index).split('\n').length + 1,
      text: text.trimEnd(),
    }));
}

/** What a command that goes on prints when it is there; undefined for commands that end. */
export function keepsRunning(text: string): RegExp | undefined {
  if (/^heddle up\b/.test(text)) return /^ready$/m;
  if (/^heddle dev\b/.test(text)) return /watching src/;
  return undefined;
}
