/**
 * Runs a transcript: blocks of commands, a line `----`, what they print, and an empty line. Lines that start with `#`
 * are comments. Each command is a line `name word word key=value …`.
 * Returns the transcript as it really went, which equals `text` if all went as written. Form as etcd raft's testdata.
 */
export function runTranscript(text: string, run: (command: Command) => string): string {
  const lines: string[] = [];
  let skipping = false;
  let output: string[] = [];
  for (const line of text.split('\n')) {
    if (skipping) {
      skipping = line !== '';
      if (!skipping) lines.push('');
    } else if (line === '----') {
      lines.push(line, ...output);
      output = [];
      skipping = true;
    } else {
      lines.push(line);
      if (line !== '' && !line.startsWith('#'))
        output.push(...run(parseCommand(line)).split('\n').filter(Boolean));
    }
  }
  return lines.join('\n');
}

/** One line of a transcript. */
export interface Command {
  readonly name: string;
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

function parseCommand(line: string): Command {
  const [name = '', ...rest] = line.trim().split(/\s+/);
  const words = rest.filter((word) => !word.includes('='));
  const pairs = rest.filter((word) => word.includes('='));
  const options = new Map(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  return { name, words, options };
}

/** `250ms`, `10s`, `5m` or `1h` in milliseconds. Throws for anything else. */
export function parseDurationMs(text: string): number {
  const [, digits, unit] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  const factors: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const factor = factors[unit ?? ''];
  if (factor === undefined) throw new Error(`expected a duration such as 10s, found ${JSON.stringify(text)}`);
  return Number(digits) * factor;
}
