import type { SagaStatus } from '@heddle/data/saga';
import { HeddleError } from '@heddle/kernel';
import type { Asked, ConsoleRoute } from './console-api.ts';
import { oneOf, optional, readInput, text, wholeIn } from './console-input.ts';
import type { ServiceDatabase } from './platform-stores.ts';

const statuses: readonly SagaStatus[] = ['running', 'compensating', 'parked', 'completed', 'compensated'];

/** Sagas of all databases, helping those that wait for a person, and what two-phase commits have left in doubt. */
export function transactionRoutes(databases: readonly ServiceDatabase[]): ConsoleRoute[] {
  const named = ({ at }: Asked): ServiceDatabase => {
    const found = databases.find(({ name }) => name === at['database']);
    if (found !== undefined) return found;
    const message = `there is no database ${at['database']?.slice(0, 60)}; known are ${databases.map(({ name }) => name).join(', ') || 'none'}`;
    throw new HeddleError({ code: 'not_found', reason: 'NO_DATABASE', message, sent: false });
  };
  return [
    {
      method: 'GET',
      path: '/sagas',
      role: 'viewer',
      run: async ({ query }) => {
        const status = statuses.find((one) => one === query.get('status'));
        const name = query.get('name') ?? '';
        const limit = wholeIn(query, 'limit', 200, 1, 2000);
        const asked = { limit, ...(status && { status }), ...(name !== '' && { name }) };
        const lists = await Promise.all(databases.map((database) => sagasOf(database, asked)));
        const sagas = lists.flatMap((list) => list.sagas);
        return {
          databases: databases.map((database) => database.name),
          silent: lists.flatMap((list) => list.silent ?? []),
          sagas: sagas.toSorted((a, b) => (a.begunMs < b.begunMs ? 1 : -1)).slice(0, limit),
        };
      },
    },
    {
      method: 'GET',
      path: '/sagas/:database/:id',
      role: 'viewer',
      run: async (asked) => {
        const { sagas } = named(asked);
        const id = asked.at['id'] ?? '';
        return { ...(await sagas.get(id)), audit: await sagas.audit(id) };
      },
    },
    {
      method: 'POST',
      path: '/sagas/:database/:id',
      role: 'operator',
      run: async (asked) => {
        const { say, step, why } = readInput(asked.body, {
          say: oneOf(['retry', 'skip', 'compensate']),
          step: optional(text(200)),
          why: optional(text(500, 0)),
        });
        const { sagas } = named(asked);
        const id = asked.at['id'] ?? '';
        const before = await sagas.get(id);
        if (say === 'skip' && (step === undefined || before.state.steps[step] === undefined))
          throw noStep(step);
        await sagas.say(
          id,
          inputOf(say, step ?? '', `${asked.who.name}: ${why ?? 'by hand'}`),
          asked.who.name,
        );
        await sagas.tell([{ id, kind: 'said' }]);
        asked.note({ before: { status: before.status, failure: before.state.failure } });
        return { said: say };
      },
    },
    {
      method: 'GET',
      path: '/in-doubt',
      role: 'viewer',
      run: async () => ({ databases: await Promise.all(databases.map(inDoubt)) }),
    },
  ];
}

type SagaInput = Parameters<ServiceDatabase['sagas']['say']>[1];

function inputOf(say: 'retry' | 'skip' | 'compensate', step: string, message: string): SagaInput {
  if (say === 'retry') return { kind: 'retry' };
  if (say === 'skip') return { kind: 'settle', step };
  return { kind: 'compensate', failure: { code: 'aborted', reason: 'BY_HAND', message } };
}

interface SagaRow {
  readonly begunMs: number;
}

interface SagaList {
  readonly sagas: readonly SagaRow[];
  readonly silent?: { readonly name: string; readonly why: string };
}

/** A database without the tables has none; one that does not answer is named. */
async function sagasOf(
  { name, sagas }: ServiceDatabase,
  asked: Parameters<typeof sagas.list>[0],
): Promise<SagaList> {
  try {
    const found = await sagas.list(asked);
    const rows = found.map(
      ({ id, name: kind, version, status, begunAt, changedAt, correlationId, state }) => ({
        database: name,
        id,
        name: kind,
        version,
        status,
        correlationId,
        begunMs: begunAt.getTime(),
        changedMs: changedAt.getTime(),
        failure: state.failure ?? null,
        retrying:
          Object.entries(state.steps).find(([, step]) => step.phase.endsWith('retrying'))?.[0] ?? null,
        traceId: state.trace?.traceId ?? null,
      }),
    );
    return { sagas: rows };
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    return isMissingTable(error) ? { sagas: [] } : { sagas: [], silent: { name, why: error.message } };
  }
}

async function inDoubt({ name, log, participant }: ServiceDatabase): Promise<object> {
  try {
    const decisions = await log.unconfirmed(1000).catch((thrown: unknown) => {
      if (isMissingTable(HeddleError.from(thrown))) return [];
      throw thrown;
    });
    return { name, decisions, prepared: await participant.prepared() };
  } catch (thrown) {
    return { name, decisions: [], prepared: [], why: HeddleError.from(thrown).message };
  }
}

function isMissingTable(error: HeddleError): boolean {
  return /42P01|does not exist/.test(`${error.reason} ${error.message}`);
}

function noStep(step: string | undefined): HeddleError {
  const message = `step: expected one of the saga's steps, found ${step ?? 'nothing'}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_INPUT', message, sent: false });
}
