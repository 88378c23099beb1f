import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { HeddleError } from '@heddle/kernel';
import { nearest } from './nearest.ts';
import type { Terminal } from './terminal/terminal.ts';

/** How a command ended, as its process tells the shell. The help lists them. */
export const exitCodes = { done: 0, failed: 1, usage: 2, cutShort: 130 } as const;

/** One option of a command line, as `parseArgs` and the help need it. */
export interface CommandOption {
  readonly type: 'string' | 'boolean';
  readonly help: string;
  /** How its value is called in the help. */
  readonly value?: string;
}

/** What the user has given, checked against the command's options. */
export interface Given {
  readonly text: (name: string) => string | undefined;
  readonly flag: (name: string) => boolean;
  /** A whole number from 0 to 65535. */
  readonly port: (name: string, fallback: number) => number;
  readonly words: readonly string[];
}

/** What a command gets from its process. */
export interface World {
  readonly terminal: Terminal;
  /** Calls back on SIGINT, SIGTERM and SIGHUP; counts from 1. */
  readonly onSignal: (listener: (signal: string, count: number) => void) => void;
  /** All commands of the program, for those that are made from them. The code of each is loaded when it runs. */
  readonly commands: readonly Command[];
}

/** How a command is called: all that the help, completion and the tools of models need of it. It has no code, so it is cheap to load. */
export interface CommandUsage {
  readonly name: string;
  readonly summary: string;
  /** The words after the options, for people: `<service> slow|fail`. Empty: none are taken. */
  readonly words: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  readonly examples: readonly string[];
}

/** A command of the program. */
export interface Command extends CommandUsage {
  /** Gives the exit code. Rejects with a `HeddleError` that is shown as one sentence. */
  readonly run: (given: Given, world: World) => Promise<number>;
}

/** A mistake in the command line: shown with a pointer to the help, exit code 2. */
export function usageError(message: string): HeddleError {
  return new HeddleError({ code: 'invalid_argument', reason: 'USAGE', message, sent: false });
}

/** Reads a command line. Unknown options, missing values and superfluous words are usage errors. */
export function readArguments(command: CommandUsage, args: readonly string[]): Given {
  const { values, positionals } = parse(command, args);
  if (command.words === '' && positionals.length > 0) {
    throw usageError(`"heddle ${command.name}" takes no further words, found "${positionals[0]}"`);
  }
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  const port = (name: string, fallback: number): number => {
    const given = text(name);
    if (given === undefined) return fallback;
    const number = /^\d{1,5}$/.test(given) ? Number(given) : -1;
    if (number >= 0 && number <= 65_535) return number;
    throw usageError(`--${name} expects a port from 0 to 65535 (0: any free one), found "${given}"`);
  };
  return { text, flag: (name) => values[name] === true, port, words: positionals };
}

function parse(
  command: CommandUsage,
  args: readonly string[],
): { values: Record<string, unknown>; positionals: string[] } {
  const entries = Object.entries(command.options).map(([name, { type }]) => [name, { type }] as const);
  const options: ParseArgsOptionsConfig = Object.fromEntries(entries);
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (thrown) {
    const message = thrown instanceof Error ? (thrown.message.split('. ')[0] ?? '') : String(thrown);
    const typed = /^Unknown option '--([^']+)'/.exec(message)?.[1];
    const meant = typed === undefined ? undefined : nearest(typed, Object.keys(command.options));
    throw usageError(
      message.replace(/\.$/, '') + (meant === undefined ? '' : `; did you mean "--${meant}"?`),
    );
  }
}
