import type { Terminal } from './terminal.ts';

/** The text in lines of at most `width` characters, cut between words; a longer word has a line of its own. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Text for where it is written to: on a terminal in its lines, those that go on indented. Breaks in it are kept. */
export function paragraph(terminal: Terminal, text: string, indent = ''): string {
  if (!terminal.interactive) return `${text}\n`;
  const room = Math.max(terminal.width - indent.length, 30);
  const lines = text.split('\n').map((line) => {
    const [before = ''] = /^ */.exec(line) ?? [];
    const rest = wrapped(line.slice(before.length), Math.max(room - before.length, 30));
    return `${before}${rest.join(`\n${indent}${before}`)}`;
  });
  return `${lines.join('\n')}\n`;
}
