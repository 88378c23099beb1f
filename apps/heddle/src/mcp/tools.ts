import type { Command } from '../command.ts';

/** A tool: a command, or one of its words, with what a model may say about it. */
export interface Tool {
  readonly name: string;
  readonly command: Command;
  /** The words that are always said first. */
  readonly verb: readonly string[];
  /** The flags that are always given. */
  readonly flags: readonly string[];
  readonly changes: boolean;
}

/** Command, the words after it, and the flags that keep it short: only what ends by itself can be a tool. */
type Entry = readonly [command: string, verb?: string | undefined, flags?: readonly string[]];

const reading: readonly Entry[] = [
  ['ls', 'services'],
  ['ls', 'instances'],
  ['explain'],
  ['trace'],
  ['top', undefined, ['--once']],
  ['route', 'explain'],
  ['gateway', 'check'],
  ['config', 'list'],
  ['config', 'show'],
  ['config', 'history'],
  ['config', 'diff'],
  ['saga', 'list'],
  ['saga', 'show'],
  ['topics', 'list'],
  ['topics', 'lag'],
  ['dlq', 'list'],
  ['dlq', 'show'],
  ['events', 'read'],
  ['events', 'subscriptions'],
  ['events', 'parked'],
  ['tx', 'list'],
  ['api', 'list'],
  ['api', 'search'],
  ['api', 'show'],
  ['api', 'contract'],
  ['api', 'diff'],
  ['alerts', 'ls'],
  ['alerts', 'rules'],
  ['analyze'],
  ['boundaries', 'analyse'],
  ['boundaries', 'compare'],
  ['boundaries', 'drift'],
  ['doctor', 'discovery', ['--read-only']],
];

const changing: readonly Entry[] = [
  ['config', 'set'],
  ['config', 'rollback'],
  ['saga', 'retry'],
  ['saga', 'skip'],
  ['saga', 'compensate'],
  ['dlq', 'replay'],
  ['dlq', 'drop'],
  ['deregister'],
  ['shop', 'fault'],
];

/** The tools that a model gets: what reads, and on request what changes something. */
export function toolsOf(commands: readonly Command[], withChanges: boolean): Tool[] {
  const made = (entries: readonly Entry[], changes: boolean): Tool[] =>
    entries.flatMap(([name, verb, flags = []]) => {
      const command = commands.find((each) => each.name === name);
      if (command === undefined) return [];
      const words = verb === undefined ? [] : [verb];
      return [{ name: ['heddle', name, ...words].join('_'), command, verb: words, flags, changes }];
    });
  return [...made(reading, false), ...(withChanges ? made(changing, true) : [])];
}

/** A tool as the protocol lists it. */
export function described({ name, command, verb, flags, changes }: Tool): object {
  const options = Object.entries(command.options)
    .filter(([option]) => option !== 'json' && !flags.includes(`--${option}`))
    .map(([option, { type, help }]) => [option, { type, description: help }] as const);
  const usage = `heddle ${[command.name, ...verb].join(' ')}`;
  const words = {
    type: 'array',
    items: { type: 'string' },
    description: `After "${usage}": ${command.words}`,
  };
  return {
    name,
    description: `${command.summary}. It is "${usage}", of which the whole is: ${command.words}`,
    inputSchema: {
      type: 'object',
      properties: { ...(command.words === '' ? {} : { words }), ...Object.fromEntries(options) },
      additionalProperties: false,
    },
    annotations: { readOnlyHint: !changes, destructiveHint: changes },
  };
}

/** The command line for what a model has given: text, numbers and flags by option, words in `words`. */
export function commandLine(
  { command, verb, flags }: Tool,
  given: Readonly<Record<string, unknown>>,
): string[] {
  const { words = [], ...options } = given;
  const args = Object.entries(options).flatMap(([name, value]) => {
    if (value === false) return [];
    return [value === true ? `--${name}` : `--${name}=${String(value)}`];
  });
  const json = Object.hasOwn(command.options, 'json') ? ['--json'] : [];
  const said = Array.isArray(words) ? words.map(String) : [String(words)];
  // Behind "--" nothing is taken for an option, whatever a model says.
  return [...flags, ...json, ...args, '--', ...verb, ...said];
}
