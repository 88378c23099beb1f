#!/usr/bin/env node
import { HeddleError } from '@heddle/kernel';
import { type Command, exitCodes, readArguments, usageError, type World } from './command.ts';
import { commandGroups } from './command-groups.ts';
import { commandHelp, commandTable, programHelp } from './help.ts';
import { nearest } from './nearest.ts';
import { ownVersion } from './node/own-version.ts';
import { requireNode } from './node/require-node.ts';
import { onSignals } from './node/signals.ts';
import { nodeTerminal } from './node/terminal.ts';
import { paint } from './terminal/terminal.ts';
import { paragraph } from './terminal/wrapped.ts';

const isHelp = (word: string): boolean => word === '--help' || word === '-h' || word === 'help';

/** `heddle help`, `heddle help ls`, `heddle help --json`. Nothing at all is a mistake, which the help answers. */
function tellHelp(name: string | undefined, rest: readonly string[], { terminal, commands }: World): number {
  const [about] = rest.filter((word) => !word.startsWith('-'));
  if (about !== undefined) terminal.out(commandHelp(commandNamed(about, commands), terminal.width));
  else
    terminal.out(
      rest.includes('--json') ? commandTable(commandGroups) : programHelp(commandGroups, terminal.width),
    );
  return name === undefined ? exitCodes.usage : exitCodes.done;
}

function commandNamed(name: string, commands: readonly Command[]): Command {
  const command = commands.find((each) => each.name === name);
  if (command !== undefined) return command;
  const meant = nearest(
    name,
    commands.map((each) => each.name),
  );
  const advice = meant === undefined ? 'heddle --help lists them' : `did you mean "heddle ${meant}"?`;
  throw usageError(`there is no command "${name}"; ${advice}`);
}

/** Runs one command line. Gives the exit code; an error is shown as a sentence, never as a stack. */
async function runCommandLine(args: readonly string[], world: World): Promise<number> {
  const { terminal } = world;
  const [name, ...rest] = args;
  try {
    if (name === '--version') {
      terminal.out(`heddle ${ownVersion()}\n`);
      return exitCodes.done;
    }
    if (name === undefined || isHelp(name)) return tellHelp(name, rest, world);
    const command = commandNamed(name, world.commands);
    if (rest.includes('--help')) return tellHelp('help', [name], world);
    requireNode(process.versions.node);
    return await command.run(readArguments(command, rest), world);
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    const isKnown = world.commands.some((each) => each.name === name);
    const hint = error.reason === 'USAGE' && isKnown ? ` (heddle ${name} --help says more)` : '';
    terminal.err(paragraph(terminal, `${paint(terminal, 'red', 'heddle:')} ${error.message}${hint}`));
    // Only a mistake of ours needs a stack; what the system refuses (a full disk) is said in its message.
    const { cause } = error;
    if (error.reason === 'UNEXPECTED' && cause instanceof Error && !('syscall' in cause)) {
      terminal.err(`${cause.stack}\n`);
    }
    return error.reason === 'USAGE' ? exitCodes.usage : exitCodes.failed;
  }
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  terminal: nodeTerminal(),
  onSignal: onSignals,
  commands: commandGroups.flatMap(({ commands }) => commands),
});
// What a command has left open (a watch, an idle connection) must not keep the process from ending.
process.exit();
