import { type Command, type CommandUsage, exitCodes } from './command.ts';
import type { CommandGroup } from './command-groups.ts';
import { wrapped } from './terminal/wrapped.ts';

const exits = `Exit codes: ${exitCodes.done} done, ${exitCodes.failed} failed, ${exitCodes.usage} wrong usage, ${exitCodes.cutShort} cut short by a second Ctrl-C.`;
/** Longer lines are hard to read, however wide the terminal is. */
const widest = 110;
const indent = '  ';

/** The help of the program as a whole, for a terminal of so many characters. */
export function programHelp(groups: readonly CommandGroup[], width: number): string {
  const left = Math.max(...groups.flatMap(({ commands }) => commands.map(({ name }) => name.length)));
  return [
    'Heddle, a microservices platform for TypeScript teams.',
    '',
    'Usage: heddle <command> [options]',
    '',
    ...groups.flatMap(({ title, commands }) => [
      title,
      ...columns(
        commands.map(({ name, summary }) => [name, summary]),
        width,
        left,
      ),
      '',
    ]),
    ...wrapped(
      'heddle <command> --help says more about one, with examples; heddle help --json is this table for programs; heddle --version is its version.',
      lineWidth(width),
    ),
    exits,
    '',
  ].join('\n');
}

/** All commands with their words, options and examples, as JSON: for programs. */
export function commandTable(groups: readonly CommandGroup[]): string {
  const rows = groups.flatMap(({ title, commands }) =>
    commands.map(({ run: _, ...usage }: Command) => ({ group: title, ...usage })),
  );
  return `${JSON.stringify(rows, undefined, 2)}\n`;
}

/** The help of one command, for a terminal of so many characters. */
export function commandHelp(command: CommandUsage, width: number): string {
  const options = Object.entries(command.options).map(
    ([name, { value, help }]) => [`--${name}${value === undefined ? '' : ` ${value}`}`, help] as const,
  );
  return [
    ...wrapped(`${command.summary}.`, lineWidth(width)),
    '',
    ...usageLines(command, width),
    '',
    ...columns([...options, ['--help', 'This text']], width),
    '',
    'Examples:',
    ...command.examples.map((example) => `${indent}${example}`),
    '',
    exits,
    '',
  ].join('\n');
}

/** One line, or one for each form of the words (`list | show PLACE`) where they do not fit into it. */
function usageLines({ name, words }: CommandUsage, width: number): string[] {
  const usage = ['Usage: heddle', name, '[options]'].join(' ');
  const whole = words === '' ? usage : `${usage} ${words}`;
  const forms = words.split(' | ');
  if (whole.length <= lineWidth(width) || forms.length === 1) return [whole];
  return [
    usage.replace('[options]', '<words> [options], with one of the words'),
    ...forms.map((form) => `${indent}${form}`),
  ];
}

function lineWidth(width: number): number {
  return Math.min(width, widest);
}

/** Two columns; what does not fit into the right one goes on below it. */
function columns(
  rows: readonly (readonly [left: string, right: string])[],
  width: number,
  widestLeft = Math.max(...rows.map(([left]) => left.length)),
): string[] {
  const before = indent.length + widestLeft + indent.length;
  // On a very narrow terminal the right column is cut by the terminal, not into a word a line.
  const room = Math.max(lineWidth(width) - before, 30);
  return rows.flatMap(([left, right]) =>
    wrapped(right, room).map((line, index) =>
      index === 0 ? `${indent}${left.padEnd(widestLeft)}${indent}${line}` : `${' '.repeat(before)}${line}`,
    ),
  );
}
