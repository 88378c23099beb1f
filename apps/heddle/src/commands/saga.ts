import { nodeRuntime } from '@heddle/kernel/node';
import { drawSaga, type SagaStatus, SagaStore, type SagaView } from '@heddle/data/saga';
import { sqlPool } from '@heddle/sql';
import { type Command, exitCodes, type Given, usageError, type World } from '../command.ts';
import { requireDatabase } from '../node/require-database.ts';
import { table } from '../terminal/table.ts';

const statuses: readonly SagaStatus[] = ['running', 'compensating', 'parked', 'completed', 'compensated'];

/** `heddle saga`: looks at the sagas of a service's database, and helps those that need a person. */
export const saga: Command = {
  name: 'saga',
  summary: 'List sagas, show one, and retry, skip or compensate what is parked',
  words: 'list|show|retry|skip|compensate [id] [step]',
  options: {
    database: { type: 'string', value: 'URL', help: 'Their database; default HEDDLE_DATABASE_URL' },
    status: { type: 'string', value: 'STATUS', help: `list: only ${statuses.join(', ')}` },
    name: { type: 'string', value: 'NAME', help: 'list: only sagas of this name' },
    by: { type: 'string', value: 'WHO', help: 'For the audit, of what changes a saga; default USER' },
    why: { type: 'string', value: 'TEXT', help: 'compensate: the reason' },
    draw: { type: 'boolean', help: 'show: as a flowchart of Mermaid' },
    json: { type: 'boolean', help: 'As JSON' },
  },
  examples: [
    'heddle saga list --status parked',
    'heddle saga show 0b54…      # its steps, failures, and what was said to it by whom',
    'heddle saga retry 0b54…     # tries again what it is parked at',
    'heddle saga skip 0b54… pay  # takes the step as done, or as undone: you have seen to it',
    'heddle saga compensate 0b54… --why "wrong price"',
  ],
  run: async (given, world) => {
    const [verb, id, step, ...rest] = given.words;
    const action = verb === undefined ? undefined : actions[verb];
    if (action === undefined || rest.length > 0)
      throw usageError('"heddle saga" needs one of list, show, retry, skip and compensate');
    if (given.flag('draw') && verb !== 'show') throw usageError('only "heddle saga show" takes --draw');
    if (verb !== 'list' && id === undefined) throw usageError(`"heddle saga ${verb}" needs the id of a saga`);
    if ((verb === 'skip') !== (step !== undefined) || (verb === 'list' && id !== undefined))
      throw usageError(
        'only "heddle saga skip" takes a step, after the id, and needs it; "list" takes neither',
      );
    const runtime = nodeRuntime({ name: 'saga', logLevel: 'error' });
    const url = requireDatabase(given);
    const pool = sqlPool(url, { runtime, name: 'heddle saga', maxConnections: 2 });
    try {
      const store = new SagaStore(pool, url, 'command-line');
      await action({ store, id: id ?? '', step: step ?? '', given, world });
      return exitCodes.done;
    } finally {
      await pool.stop?.();
    }
  },
};

interface Asked {
  readonly store: SagaStore;
  readonly id: string;
  readonly step: string;
  readonly given: Given;
  readonly world: World;
}

const actions: Readonly<Record<string, (asked: Asked) => Promise<void>>> = {
  list: async ({ store, given, world }) => {
    const [name, status] = [given.text('name'), statusOf(given.text('status'))];
    const sagas = await store.list({
      ...(name !== undefined && { name }),
      ...(status !== undefined && { status }),
    });
    if (given.flag('json')) return print(world, sagas);
    world.terminal.out(table(sagas.map(rowOf)));
  },
  show: async ({ store, id, given, world }) => {
    const [view, audit] = [await store.get(id), await store.audit(id)];
    if (given.flag('json')) return print(world, { ...view, audit });
    if (given.flag('draw')) return world.terminal.out(drawSaga({ state: view.state }));
    const { failure, steps } = view.state;
    world.terminal.out(table([rowOf(view)]));
    if (failure !== undefined)
      world.terminal.out(`\n${failure.step}: ${failure.reason}: ${failure.message}\n`);
    world.terminal.out(
      `\n${table(
        Object.entries(steps).map(([name, each]) => ({
          step: name,
          phase: each.phase,
          attempts: each.attempts,
          undos: each.undoAttempts,
          failure: each.failure?.reason ?? '',
        })),
      )}`,
    );
    if (audit.length > 0)
      world.terminal.out(
        `\n${table(audit.map(({ at, by, input, taken }) => ({ at: at.toISOString(), by, said: input.kind, taken: taken ? 'yes' : 'not yet' })))}`,
      );
  },
  retry: async (asked) => say(asked, { kind: 'retry' }),
  skip: async (asked) => {
    const { state, status } = await asked.store.get(asked.id);
    if (status !== 'parked' || state.steps[asked.step] === undefined)
      throw usageError(
        `saga ${asked.id} is ${status}, and can be helped with ${asked.step} only if parked at it`,
      );
    await say(asked, { kind: 'settle', step: asked.step });
  },
  compensate: async (asked) => {
    const message = `${whoOf(asked.given)}: ${asked.given.text('why') ?? 'by hand'}`;
    await say(asked, { kind: 'compensate', failure: { code: 'aborted', reason: 'BY_HAND', message } });
  },
};

async function say(
  { store, id, given, world }: Asked,
  input: Parameters<SagaStore['say']>[1],
): Promise<void> {
  const by = whoOf(given);
  await store.say(id, input, by);
  await store.tell([{ id, kind: 'said' }]);
  if (given.flag('json')) return print(world, { id, said: input.kind, by });
  world.terminal.out(
    `${id} was told to ${input.kind}, by ${by}; a process that has its definition does it\n`,
  );
}

function whoOf(given: Given): string {
  return given.text('by') ?? process.env['USER'] ?? 'command line';
}

function statusOf(text: string | undefined): SagaStatus | undefined {
  const found = statuses.find((each) => each === text);
  if (text !== undefined && found === undefined)
    throw usageError(`--status expects one of ${statuses.join(', ')}; found "${text}"`);
  return found;
}

function rowOf(view: SagaView): Record<string, string | number> {
  const { id, name, version, status, worker, begunAt, state } = view;
  const failure = state.failure === undefined ? '' : `${state.failure.step} ${state.failure.reason}`;
  return { id, name, version, status, begun: begunAt.toISOString(), worker: worker ?? '', failure };
}

function print(world: World, value: unknown): void {
  world.terminal.out(`${JSON.stringify(value, undefined, 2)}\n`);
}
