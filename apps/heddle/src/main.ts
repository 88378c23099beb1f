#!/usr/bin/env node
import { HeddleError } from '@heddle/kernel';
import { type Command, exitCodes, readArguments, usageError, type World } from './command.ts';
import { commandHelp, commandTable, programHelp } from './help.ts';
import { requireNode } from './node/require-node.ts';
import { onSignals } from './node/signals.ts';
import { nodeTerminal } from './node/terminal.ts';
import { paint } from './terminal/terminal.ts';

/** By name, in the order of the help. Each is loaded when it is wanted: a process has the code of its own command. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  new: async () => (await import('./commands/new.ts')).newProject,
  add: async () => (await import('./commands/add.ts')).add,
  dev: async () => (await import('./commands/dev.ts')).dev,
  up: async () => (await import('./commands/up.ts')).up,
  clean: async () => (await import('./commands/clean.ts')).clean,
  gateway: async () => (await import('./commands/gateway.ts')).gateway,
  route: async () => (await import('./commands/route.ts')).route,
  sidecar: async () => (await import('./commands/sidecar.ts')).sidecar,
  'control-plane': async () => (await import('./commands/control-plane.ts')).controlPlane,
  config: async () => (await import('./commands/config.ts')).config,
  api: async () => (await import('./commands/api.ts')).api,
  ls: async () => (await import('./commands/ls.ts')).ls,
  explain: async () => (await import('./commands/explain.ts')).explain,
  trace: async () => (await import('./commands/trace.ts')).trace,
  tail: async () => (await import('./commands/tail.ts')).tail,
  top: async () => (await import('./commands/top.ts')).top,
  alerts: async () => (await import('./commands/alerts.ts')).alerts,
  export: async () => (await import('./commands/export.ts')).exportCommand,
  register: async () => (await import('./commands/register.ts')).register,
  deregister: async () => (await import('./commands/deregister.ts')).deregister,
  drain: async () => (await import('./commands/drain.ts')).drain,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  shop: async () => (await import('./commands/shop.ts')).shop,
  boundaries: async () => (await import('./commands/boundaries.ts')).boundaries,
  analyze: async () => (await import('./commands/analyze.ts')).analyze,
  rehearse: async () => (await import('./commands/rehearse.ts')).rehearse,
  rollout: async () => (await import('./commands/rollout.ts')).rollout,
  inject: async () => (await import('./commands/inject.ts')).inject,
  postgres: async () => (await import('./commands/postgres.ts')).postgres,
  emit: async () => (await import('./commands/emit.ts')).emit,
  topics: async () => (await import('./commands/topics.ts')).topics,
  dlq: async () => (await import('./commands/dlq.ts')).dlq,
  events: async () => (await import('./commands/events.ts')).events,
  saga: async () => (await import('./commands/saga.ts')).saga,
  tx: async () => (await import('./commands/tx.ts')).tx,
  completion: async () => (await import('./commands/completion.ts')).completion,
  mcp: async () => (await import('./commands/mcp.ts')).mcp,
};

function allCommands(): Promise<readonly Command[]> {
  return Promise.all(Object.values(commands).map((load) => load()));
}

/** Runs one command line. Gives the exit code; an error is shown as a sentence, never as a stack. */
async function runCommandLine(args: readonly string[], world: World): Promise<number> {
  const { terminal } = world;
  const [name, ...rest] = args;
  try {
    if (name === undefined || name === '--help' || name === 'help') {
      const all = await allCommands();
      terminal.out(rest.includes('--json') ? commandTable(all) : programHelp(all));
      return name === undefined ? exitCodes.usage : exitCodes.done;
    }
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (load === undefined) throw usageError(`there is no command "${name}"; heddle --help lists them`);
    const command = await load();
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
  commands: allCommands,
});
// What a command has left open (a watch, an idle connection) must not keep the process from ending.
process.exit();
