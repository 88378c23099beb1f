// Every command by what it is for, in the order of the help. Of each only how it is called is loaded here; its code is when it runs,
// so that the help, completion and a mistyped name cost next to nothing, and a process has the code of its own command.
import type { Command, CommandUsage } from './command.ts';
import { addUsage } from './commands/add.usage.ts';
import { alertsUsage } from './commands/alerts.usage.ts';
import { analyzeUsage } from './commands/analyze.usage.ts';
import { apiUsage } from './commands/api.usage.ts';
import { boundariesUsage } from './commands/boundaries.usage.ts';
import { cleanUsage } from './commands/clean.usage.ts';
import { completionUsage } from './commands/completion.usage.ts';
import { configUsage } from './commands/config.usage.ts';
import { controlPlaneUsage } from './commands/control-plane.usage.ts';
import { deregisterUsage } from './commands/deregister.usage.ts';
import { devUsage } from './commands/dev.usage.ts';
import { dlqUsage } from './commands/dlq.usage.ts';
import { doctorUsage } from './commands/doctor.usage.ts';
import { drainUsage } from './commands/drain.usage.ts';
import { emitUsage } from './commands/emit.usage.ts';
import { eventsUsage } from './commands/events.usage.ts';
import { explainUsage } from './commands/explain.usage.ts';
import { exportUsage } from './commands/export.usage.ts';
import { gatewayUsage } from './commands/gateway.usage.ts';
import { injectUsage } from './commands/inject.usage.ts';
import { lsUsage } from './commands/ls.usage.ts';
import { mcpUsage } from './commands/mcp.usage.ts';
import { newUsage } from './commands/new.usage.ts';
import { postgresUsage } from './commands/postgres.usage.ts';
import { registerUsage } from './commands/register.usage.ts';
import { rehearseUsage } from './commands/rehearse.usage.ts';
import { rolloutUsage } from './commands/rollout.usage.ts';
import { routeUsage } from './commands/route.usage.ts';
import { sagaUsage } from './commands/saga.usage.ts';
import { shopUsage } from './commands/shop.usage.ts';
import { sidecarUsage } from './commands/sidecar.usage.ts';
import { tailUsage } from './commands/tail.usage.ts';
import { topUsage } from './commands/top.usage.ts';
import { topicsUsage } from './commands/topics.usage.ts';
import { traceUsage } from './commands/trace.usage.ts';
import { txUsage } from './commands/tx.usage.ts';
import { upUsage } from './commands/up.usage.ts';

/** Commands that serve one purpose. */
export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly Command[];
}

function command(usage: CommandUsage, load: () => Promise<Command>): Command {
  return { ...usage, run: async (given, world) => (await load()).run(given, world) };
}

/** All commands of the program. */
export const commandGroups: readonly CommandGroup[] = [
  {
    title: 'Make a service',
    commands: [
      command(newUsage, async () => (await import('./commands/new.ts')).newProject),
      command(addUsage, async () => (await import('./commands/add.ts')).add),
      command(devUsage, async () => (await import('./commands/dev.ts')).dev),
    ],
  },
  {
    title: 'Run it',
    commands: [
      command(upUsage, async () => (await import('./commands/up.ts')).up),
      command(cleanUsage, async () => (await import('./commands/clean.ts')).clean),
      command(shopUsage, async () => (await import('./commands/shop.ts')).shop),
      command(gatewayUsage, async () => (await import('./commands/gateway.ts')).gateway),
      command(controlPlaneUsage, async () => (await import('./commands/control-plane.ts')).controlPlane),
      command(sidecarUsage, async () => (await import('./commands/sidecar.ts')).sidecar),
      command(postgresUsage, async () => (await import('./commands/postgres.ts')).postgres),
    ],
  },
  {
    title: 'See what happens',
    commands: [
      command(lsUsage, async () => (await import('./commands/ls.ts')).ls),
      command(explainUsage, async () => (await import('./commands/explain.ts')).explain),
      command(traceUsage, async () => (await import('./commands/trace.ts')).trace),
      command(tailUsage, async () => (await import('./commands/tail.ts')).tail),
      command(topUsage, async () => (await import('./commands/top.ts')).top),
      command(alertsUsage, async () => (await import('./commands/alerts.ts')).alerts),
      command(doctorUsage, async () => (await import('./commands/doctor.ts')).doctor),
    ],
  },
  {
    title: 'Services, routes, settings and contracts',
    commands: [
      command(registerUsage, async () => (await import('./commands/register.ts')).register),
      command(deregisterUsage, async () => (await import('./commands/deregister.ts')).deregister),
      command(drainUsage, async () => (await import('./commands/drain.ts')).drain),
      command(routeUsage, async () => (await import('./commands/route.ts')).route),
      command(configUsage, async () => (await import('./commands/config.ts')).config),
      command(apiUsage, async () => (await import('./commands/api.ts')).api),
    ],
  },
  {
    title: 'Mesh',
    commands: [
      command(analyzeUsage, async () => (await import('./commands/analyze.ts')).analyze),
      command(rehearseUsage, async () => (await import('./commands/rehearse.ts')).rehearse),
      command(rolloutUsage, async () => (await import('./commands/rollout.ts')).rollout),
      command(injectUsage, async () => (await import('./commands/inject.ts')).inject),
      command(exportUsage, async () => (await import('./commands/export.ts')).exportCommand),
    ],
  },
  {
    title: 'Messages, events and transactions',
    commands: [
      command(emitUsage, async () => (await import('./commands/emit.ts')).emit),
      command(topicsUsage, async () => (await import('./commands/topics.ts')).topics),
      command(dlqUsage, async () => (await import('./commands/dlq.ts')).dlq),
      command(eventsUsage, async () => (await import('./commands/events.ts')).events),
      command(sagaUsage, async () => (await import('./commands/saga.ts')).saga),
      command(txUsage, async () => (await import('./commands/tx.ts')).tx),
    ],
  },
  {
    title: 'Plan',
    commands: [command(boundariesUsage, async () => (await import('./commands/boundaries.ts')).boundaries)],
  },
  {
    title: 'For shells and models',
    commands: [
      command(completionUsage, async () => (await import('./commands/completion.ts')).completion),
      command(mcpUsage, async () => (await import('./commands/mcp.ts')).mcp),
    ],
  },
];
