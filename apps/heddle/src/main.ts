import { HeddleError } from '@heddle/kernel';
import { type Command, exitCodes, readArguments, usageError, type World } from './command.ts';
import { analyze } from './commands/analyze.ts';
import { alerts } from './commands/alerts.ts';
import { api } from './commands/api.ts';
import { boundaries } from './commands/boundaries.ts';
import { clean } from './commands/clean.ts';
import { completion } from './commands/completion.ts';
import { config } from './commands/config.ts';
import { controlPlane } from './commands/control-plane.ts';
import { deregister } from './commands/deregister.ts';
import { dev } from './commands/dev.ts';
import { doctor } from './commands/doctor.ts';
import { drain } from './commands/drain.ts';
import { dlq } from './commands/dlq.ts';
import { emit } from './commands/emit.ts';
import { events } from './commands/events.ts';
import { exportCommand } from './commands/export.ts';
import { explain } from './commands/explain.ts';
import { gateway } from './commands/gateway.ts';
import { ls } from './commands/ls.ts';
import { mcp } from './commands/mcp.ts';
import { newProject } from './commands/new.ts';
import { postgres } from './commands/postgres.ts';
import { register } from './commands/register.ts';
import { rehearse } from './commands/rehearse.ts';
import { rollout } from './commands/rollout.ts';
import { route } from './commands/route.ts';
import { saga } from './commands/saga.ts';
import { shop } from './commands/shop.ts';
import { tail } from './commands/tail.ts';
import { top } from './commands/top.ts';
import { trace } from './commands/trace.ts';
import { topics } from './commands/topics.ts';
import { tx } from './commands/tx.ts';
import { up } from './commands/up.ts';
import { commandHelp, commandTable, programHelp } from './help.ts';
import { requireNode } from './node/require-node.ts';
import { onSignals } from './node/signals.ts';
import { nodeTerminal } from './node/terminal.ts';
import { paint } from './terminal/terminal.ts';

const commands: readonly Command[] = [
  newProject,
  dev,
  up,
  clean,
  gateway,
  route,
  controlPlane,
  config,
  api,
  ls,
  explain,
  trace,
  tail,
  top,
  alerts,
  exportCommand,
  register,
  deregister,
  drain,
  doctor,
  shop,
  boundaries,
  analyze,
  rehearse,
  rollout,
  postgres,
  emit,
  topics,
  dlq,
  events,
  saga,
  tx,
  completion,
  mcp,
];

/** Runs one command line. Gives the exit code; an error is shown as a sentence, never as a stack. */
async function runCommandLine(args: readonly string[], world: World): Promise<number> {
  const { terminal } = world;
  const [name, ...rest] = args;
  try {
    if (name === undefined || name === '--help' || name === 'help') {
      terminal.out(rest.includes('--json') ? commandTable(commands) : programHelp(commands));
      return name === undefined ? exitCodes.usage : exitCodes.done;
    }
    const command = commands.find((each) => each.name === name);
    if (command === undefined) throw usageError(`there is no command "${name}"; heddle --help lists them`);
    if (rest.includes('--help')) {
      terminal.out(commandHelp(command));
      return exitCodes.done;
    }
    requireNode(process.versions.node);
    return await command.run(readArguments(command, rest), world);
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    const hint = error.reason === 'USAGE' ? ` (heddle ${name ?? ''} --help says more)` : '';
    terminal.err(`${paint(terminal, 'red', 'heddle:')} ${error.message}${hint}\n`);
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
  commands,
});
// What a command has left open (a watch, an idle connection) must not keep the process from ending.
process.exit();
