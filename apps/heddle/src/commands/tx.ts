import { nodeRuntime } from '@heddle/kernel/node';
import { PostgresParticipant, SqlDecisionLog, txName } from '@heddle/data/twophase';
import { type SqlPool, sqlPool } from '@heddle/sql';
import { type Command, exitCodes, type Given, usageError, type World } from '../command.ts';
import { requireDatabase } from '../node/require-database.ts';
import { table } from '../terminal/table.ts';
import { txUsage } from './tx.usage.ts';

/** `heddle tx`: what two-phase commits have left in doubt in a database, and its end. */
export const tx: Command = {
  ...txUsage,
  run: async (given, world) => {
    const [verb, ...rest] = given.words;
    if ((verb !== 'list' && verb !== 'settle') || rest.length > 0)
      throw usageError('"heddle tx" needs "list" or "settle"');
    const runtime = nodeRuntime({ name: 'tx', logLevel: 'error' });
    const open = (url: string): SqlPool => sqlPool(url, { runtime, name: 'heddle tx', maxConnections: 2 });
    const logUrl = requireDatabase(given);
    const [logPool, pool] = [open(logUrl), open(given.text('participant') ?? logUrl)];
    try {
      const log = new SqlDecisionLog(logPool);
      const participant = new PostgresParticipant({ name: 'participant', pool });
      await (verb === 'list'
        ? list(log, participant, given, world, runtime.clock.wallMs())
        : settle(log, participant, given, world));
      return exitCodes.done;
    } finally {
      await logPool.stop?.();
      await pool.stop?.();
    }
  },
};

async function list(
  log: SqlDecisionLog,
  participant: PostgresParticipant,
  given: Given,
  world: World,
  nowMs: number,
): Promise<void> {
  const decisions = await log.unconfirmed(1000);
  const prepared = await participant.prepared();
  if (given.flag('json')) return print(world, { decisions, prepared });
  const rows = [
    ...decisions.map((each) => ({
      tx: each.tx,
      what: 'decided to commit',
      branch: Object.keys(each.branches).join(' '),
      seconds: Math.round((nowMs - each.decidedAt.getTime()) / 1000),
    })),
    ...prepared.map((each) => ({
      tx: each.tx,
      what: 'prepared',
      branch: each.branch,
      seconds: Math.round(each.ageMs / 1000),
    })),
  ];
  world.terminal.out(rows.length === 0 ? 'nothing is in doubt\n' : table(rows));
}

/** As the log says, and only that: what its coordinator may still decide is left alone. */
async function settle(
  log: SqlDecisionLog,
  participant: PostgresParticipant,
  given: Given,
  world: World,
): Promise<void> {
  const own = await log.open();
  const rows: { tx: string; branch: string; done: string }[] = [];
  for (const { tx: id, branch } of await participant.prepared()) {
    const name = txName(id);
    const decision = name?.log === own ? await log.decisionOf(id, name.worker) : undefined;
    if (decision === 'commit' || decision === 'abort') await participant.settle({ tx: id, branch }, decision);
    const done = { commit: 'committed', abort: 'rolled back', undecided: 'left: its coordinator lives' };
    rows.push({ tx: id, branch, done: decision === undefined ? 'left: of another log' : done[decision] });
  }
  if (given.flag('json')) return print(world, rows);
  world.terminal.out(rows.length === 0 ? 'nothing is prepared\n' : table(rows));
}

function print(world: World, value: unknown): void {
  world.terminal.out(`${JSON.stringify(value, undefined, 2)}\n`);
}
