import { type Call, HeddleError, type Runtime, type Service } from '@heddle/kernel';
import type { Sql, SqlPool } from '@heddle/sql';
import { passBarrier } from '../barrier/index.ts';
import { saga } from '../saga/definition.ts';
import type { SagaEngine } from '../saga/saga-engine.ts';
import type { SagaDefinition } from '../saga/step.ts';

/** Whether the local transaction of a message has committed. There is no third answer, and it never changes. */
export type MessageAnswer = 'committed' | 'rolled-back';

/** What two-phase messages are made from. */
export interface ReliableMessagesOptions<Payload> {
  readonly runtime: Runtime;
  /** Of this kind of message, e.g. `order-paid`. */
  readonly name: string;
  /** Delivers it; repeated, with the same key, until it resolves. */
  readonly deliver: (
    payload: Payload,
    context: { readonly key: string; readonly call: Call },
  ) => Promise<void>;
  /** Asks the sender what has become of its transaction: `answerMessage` at the other end. */
  readonly ask: Service<string, MessageAnswer>;
  /** How long to wait for the sender's word before it is asked. Default 5000. */
  readonly askAfterMs?: number;
}

interface Stored<Payload> {
  readonly payload: Payload;
}

const branch = 'message';

/**
 * Messages whose coordinator has another database than their sender, so that an outbox cannot be had: the message is
 * stored first, then the sender's transaction commits, then the message is let go. When nothing is heard of the second
 * step the sender is asked, and its answer is final.
 */
export class ReliableMessages<Payload> {
  /** To be given to the engine. */
  readonly definition: SagaDefinition<Stored<Payload>, unknown>;
  readonly #options: ReliableMessagesOptions<Payload>;

  constructor(options: ReliableMessagesOptions<Payload>) {
    this.#options = options;
    const { name, ask, deliver, askAfterMs = 5000 } = options;
    this.definition = saga<Stored<Payload>>(`message-${name}`)
      .wait<MessageAnswer, 'word'>('word', { timeoutMs: askAfterMs, goesOn: true })
      .step('ask', {
        when: ({ results }) => results.word === undefined,
        attempts: 10_000,
        backoff: { baseMs: 200, maxMs: 30_000 },
        run: ({ id, call }) => ask(id, call),
      })
      .step('deliver', {
        pivot: true,
        attempts: 10_000,
        when: ({ results }) => (results.word ?? results.ask) === 'committed',
        run: async ({ input, key, call }) => {
          await deliver(input.payload, { key, call });
          return true;
        },
      })
      .build();
  }

  /**
   * Stores the message with the engine, runs `work` in a transaction of the sender's database, and lets the message go if
   * that commits. Rejects with what `work` rejected with; the message is then dropped. Dying at any point is like one
   * or the other. `id`: the same message sent twice is one, and its work is done once.
   */
  async send<Value>(
    engine: Pick<SagaEngine, 'begin' | 'tell'>,
    pool: SqlPool,
    payload: Payload,
    work: (sql: Sql) => Promise<Value>,
    id: string = this.#options.runtime.random.uuid(),
  ): Promise<{ readonly id: string; readonly value: Value }> {
    await engine.begin(this.definition, { payload }, { id });
    let value: Value;
    try {
      value = await pool.transaction((sql) => local(sql, id, () => work(sql)));
    } catch (thrown) {
      // Unless nobody knows whether it has committed: then the answer is for the barrier to give.
      const error = HeddleError.from(thrown);
      if (!error.is('unknown', 'COMMIT_UNKNOWN') && error.reason !== 'MESSAGE_REPEATED')
        await engine.tell(id, 'word', 'rolled-back', 'sender').catch(() => {});
      throw thrown;
    }
    // If this is not heard, the sender will be asked.
    await engine.tell(id, 'word', 'committed', 'sender').catch(() => {});
    return { id, value };
  }
}

/**
 * What has become of a message's local transaction, in the sender's database. Takes its place in the barrier first: one
 * that is under way is waited for, and one that has not begun can never commit any more.
 */
export async function answerMessage(pool: SqlPool, id: string): Promise<MessageAnswer> {
  return pool.transaction(async (sql) => {
    await passBarrier(sql, { tx: id, branch, op: 'ask' }, () => Promise.resolve());
    const rows = await sql.query<{ by: string }>(
      `SELECT by FROM heddle_barrier WHERE tx = $1 AND branch = $2 AND op = 'local'`,
      [id, branch],
    );
    return rows[0]?.by === 'local' ? 'committed' : 'rolled-back';
  });
}

async function local<Value>(sql: Sql, id: string, work: () => Promise<Value>): Promise<Value> {
  const passed = await passBarrier(sql, { tx: id, branch, op: 'local' }, work);
  if (passed.done) return passed.value;
  const [reason, message] =
    passed.why === 'late'
      ? ['MESSAGE_GIVEN_UP', `message ${id} was asked for before its transaction committed, and is dropped`]
      : ['MESSAGE_REPEATED', `message ${id} was sent before; its transaction is not carried out again`];
  throw new HeddleError({ code: passed.why === 'late' ? 'aborted' : 'already_exists', reason, message });
}
