import type { Command } from './command.ts';

const exits = 'Exit codes: 0 done, 1 failed, 2 wrong usage, 130 cut short by a second Ctrl-C.';

/** The help of the program as a whole. */
export function programHelp(commands: readonly Command[]): string {
  const lines = commands.map(({ name, summary }) => [name, summary] as const);
  return [
    'Heddle, a microservices platform for TypeScript teams.',
    '',
    'Usage: heddle <command> [options]',
    '',
    ...columns(lines),
    '',
    'heddle <command> --help says more about one, with examples; heddle help --json is this table for programs.',
    exits,
    '',
  ].join('\n');
}

/** All commands with their words, options and examples, as JSON: for programs. */
export function commandTable(commands: readonly Command[]): string {
  const rows = commands.map(({ run: _, ...described }) => described);
  return `${JSON.stringify(rows, undefined, 2)}\n`;
}

/** The help of one command. */
export function commandHelp(command: Command): string {
  const options = Object.entries(command.options).map(
    ([name, { value, help }]) => [`--${name}${value === undefined ? '' : ` ${value}`}`, help] as const,
  );
  return [
    `${command.summary}.`,
    '',
    `Usage: heddle ${[command.name, '[options]', command.words].filter((part) => part !== '').join(' ')}`,
    '',
    ...columns([...options, ['--help', 'This text']]),
    '',
    'Examples:',
    ...command.examples.map((example) => `  ${example}`),
    '',
    exits,
    '',
  ].join('\n');
}

function columns(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
