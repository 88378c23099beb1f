import { Call, HeddleError, type Part, type Runtime } from '@heddle/kernel';
import { type Broker, type DeadLetters, Outbox, SqlOutbox, type Subscription } from '@heddle/messaging';
import type { Sql, SqlPool } from '@heddle/sql';
import { PostgresParticipant, SqlDecisionLog, TxCoordinator } from '../tx/twophase/index.ts';
import { applyChange, applyEntity, copyAll, prepareTarget } from './apply.ts';
import { type Change, changeOf, payloadOf } from './change.ts';
import { type Difference, differences } from './compare.ts';
import { type AnySyncRule, checkRules, isFor, type SyncLevel } from './rule.ts';
import type { SyncSource } from './source.ts';
import { type WeakCounts, WeakQueue } from './weak-queue.ts';

/** What a synchroniser is made from. */
export interface SynchroniserOptions {
  readonly runtime: Runtime;
  /** Of the service whose entities these are; lower-case letters, digits and `-`. */
  readonly name: string;
  /** The database of the service. */
  readonly pool: SqlPool;
  readonly rules: readonly AnySyncRule[];
  /** Carries what is `eventual`. */
  readonly broker?: Broker;
  /** Where entities come from, for `copy`, `resync` and `compare`. */
  readonly sources?: readonly SyncSource[];
  /** Attempts at one change that is `eventual`; then it is a dead letter. Default 10. */
  readonly attempts?: number;
  /** Changes that may wait to be passed on where that is `weak`; more are dropped, and counted. Default 1000. */
  readonly weakMost?: number;
}

/** A transaction of the service, which says what it changes. */
export interface SyncUnit {
  readonly sql: Sql;
  /** Says what has become of an entity. Part of the transaction: it goes out if that commits. */
  readonly changed: (change: Change) => void;
}

/**
 * Keeps copies of a service's entities in other databases, by rules. Every instance of the service may have one. As a part:
 * `start` makes the notes in source and targets, and begins to carry what is `eventual`.
 */
export class Synchroniser implements Part {
  readonly name: string;
  readonly #options: SynchroniserOptions;
  readonly #outbox: Outbox<Sql> | undefined;
  readonly #source: PostgresParticipant;
  readonly #participants = new Map<SqlPool, PostgresParticipant>();
  readonly #coordinator: TxCoordinator | undefined;
  readonly #weak = new Map<string, WeakQueue>();
  readonly #subscriptions: Subscription[] = [];

  constructor(options: SynchroniserOptions) {
    const { runtime, name, pool, rules, broker, weakMost = 1000 } = options;
    checkRules(rules);
    this.name = `synchroniser of ${name}`;
    this.#options = options;
    if (broker !== undefined)
      this.#outbox = new Outbox({
        runtime,
        source: name,
        store: new SqlOutbox({ pool }),
        broker,
        pollMs: 200,
      });
    else if (this.#rules('eventual').length > 0) throw noBroker();
    this.#source = new PostgresParticipant({ name: 'source', pool });
    for (const { target } of this.#rules('strong'))
      if (!this.#participants.has(target.pool))
        this.#participants.set(
          target.pool,
          new PostgresParticipant({ name: `target-${target.name}`, pool: target.pool }),
        );
    if (this.#participants.size > 0)
      this.#coordinator = new TxCoordinator({
        runtime,
        log: new SqlDecisionLog(pool),
        participants: [this.#source, ...this.#participants.values()],
      });
    for (const rule of this.#rules('weak')) this.#weak.set(rule.name, new WeakQueue(runtime, weakMost));
  }

  async start(): Promise<void> {
    const { rules, pool, broker } = this.#options;
    for (const target of new Set(rules.map((rule) => rule.target.pool))) await prepareTarget(target);
    await this.#coordinator?.start();
    if (broker === undefined) return;
    await new SqlOutbox({ pool }).prepare();
    for (const rule of this.#rules('eventual')) await broker.createTopic(this.#topicOf(rule));
    this.#outbox?.start();
    for (const rule of this.#rules('eventual')) this.#subscriptions.push(await this.#carry(broker, rule));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#subscriptions.map((each) => each.close()));
    await this.#outbox?.stop();
    await Promise.all([...this.#weak.values()].map((queue) => queue.settled()));
    await this.#coordinator?.stop();
  }

  /**
   * A transaction of the service that may change entities of these types. If a rule for one of them is `strong`, it commits
   * in the targets too or nowhere: it then rejects with what a target refused, or with `unknown` / `TX_IN_DOUBT` when it is
   * decided and a target has not confirmed yet. Such a transaction can neither NOTIFY nor use temporary tables.
   */
  async transaction<T>(
    entityTypes: readonly string[],
    work: (unit: SyncUnit) => Promise<T>,
    call: Call = Call.root(this.#options.runtime),
  ): Promise<T> {
    const changes: Change[] = [];
    const isStrong = this.#rules('strong').some(({ entityType }) => entityTypes.includes(entityType));
    const own = async (sql: Sql): Promise<T> => {
      changes.length = 0;
      const changed = (change: Change): void => void changes.push(this.#checked(entityTypes, change));
      const value = await work({ sql, changed });
      await this.#publish(sql, changes, call);
      return value;
    };
    const value = isStrong
      ? await this.#everywhere(own, changes, call)
      : await this.#options.pool.transaction(own);
    this.#outbox?.wake();
    this.#passOn(changes);
    return value;
  }

  /** Copies all entities of a rule into its target, in pages: the beginning, or after a loss. Resolves with their number. */
  copy(ruleName: string): Promise<number> {
    const rule = this.#rule(ruleName);
    return copyAll(rule, this.#sourceOf(rule), this.#options.pool);
  }

  /** Makes the copy of one entity again. */
  resync(ruleName: string, id: string): Promise<void> {
    const rule = this.#rule(ruleName);
    return applyEntity(rule, this.#sourceOf(rule), this.#options.pool, id);
  }

  /** How the target of a rule differs from the source. */
  compare(ruleName: string): AsyncIterable<Difference> {
    const rule = this.#rule(ruleName);
    return differences(rule, this.#sourceOf(rule), this.#options.pool);
  }

  /** Changes that a target has not had yet. */
  async lag(ruleName: string): Promise<number> {
    const rule = this.#rule(ruleName, 'eventual');
    const partitions = await this.#broker.lag(this.#topicOf(rule), rule.name);
    const [waiting] = await this.#options.pool.query<{ n: number }>(
      'SELECT count(*) AS n FROM heddle_outbox WHERE topic = $1',
      [this.#topicOf(rule)],
    );
    return partitions.reduce((sum, { behind }) => sum + behind, waiting?.n ?? 0);
  }

  /** Changes that a target has refused for good. `resync` makes them good. */
  deadLetters(ruleName: string): DeadLetters {
    const rule = this.#rule(ruleName, 'eventual');
    return this.#broker.deadLetters(this.#topicOf(rule), rule.name);
  }

  /** What has come of what is `weak`, in this process. */
  weakCounts(ruleName: string): WeakCounts {
    const rule = this.#rule(ruleName, 'weak');
    return (this.#weak.get(rule.name) as WeakQueue).counts;
  }

  /** In two phases: the source's work first, since the changes are known when it has run; then each target, in one order. */
  async #everywhere<T>(own: (sql: Sql) => Promise<T>, changes: readonly Change[], call: Call): Promise<T> {
    const { status, value, tx } = await (this.#coordinator as TxCoordinator).run(async (unit) => {
      const result = await unit.join(this.#source.branch(own));
      for (const [pool, participant] of this.#participants) {
        const due = this.#due('strong', changes).filter(({ rule }) => rule.target.pool === pool);
        if (due.length > 0)
          await unit.join(
            participant.branch(async (sql) => {
              for (const { rule, change } of due) await applyChange(sql, rule, change);
            }),
          );
      }
      return result;
    }, call);
    if (status === 'committed') return value;
    const message = `transaction ${tx} is decided and will be in every target, but not all have confirmed yet`;
    throw new HeddleError({ code: 'unknown', reason: 'TX_IN_DOUBT', message });
  }

  async #publish(sql: Sql, changes: readonly Change[], call: Call): Promise<void> {
    const types = new Set(this.#rules('eventual').map(({ entityType }) => entityType));
    const sent = changes.filter(({ entityType }) => types.has(entityType));
    if (sent.length === 0) return;
    const messages = sent.map((change) => ({
      topic: this.#topicOf(change),
      key: change.id,
      type: change.eventType,
      aggregateId: change.id,
      aggregateVersion: change.version,
      payload: payloadOf(change),
    }));
    await this.#outbox?.publish(sql, messages, call);
  }

  #passOn(changes: readonly Change[]): void {
    for (const { rule, change } of this.#due('weak', changes))
      this.#weak
        .get(rule.name)
        ?.add(() => rule.target.pool.transaction((sql) => applyChange(sql, rule, change)));
  }

  #carry(broker: Broker, rule: AnySyncRule): Promise<Subscription> {
    const { attempts = 10 } = this.#options;
    const options = { group: rule.name, attempts, concurrency: 8 };
    return broker.subscribe(this.#topicOf(rule), options, async ({ message }) => {
      const change = changeOf(message.payload);
      if (isFor(rule, change)) await rule.target.pool.transaction((sql) => applyChange(sql, rule, change));
    });
  }

  #due(
    level: SyncLevel,
    changes: readonly Change[],
  ): readonly { readonly rule: AnySyncRule; readonly change: Change }[] {
    const rules = this.#rules(level);
    return changes.flatMap((change) =>
      rules.filter((rule) => isFor(rule, change)).map((rule) => ({ rule, change })),
    );
  }

  #checked(entityTypes: readonly string[], change: Change): Change {
    if (entityTypes.includes(change.entityType)) return change;
    const message = `entityType: expected one of ${entityTypes.join(', ')}, as the transaction was begun with, found ${change.entityType}`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_CHANGE', message, sent: false });
  }

  #topicOf({ entityType }: Pick<Change, 'entityType'>): string {
    return `sync.${this.#options.name}.${entityType}`;
  }

  #rules(level: SyncLevel): readonly AnySyncRule[] {
    return this.#options.rules.filter((rule) => rule.level === level);
  }

  #rule(name: string, level?: SyncLevel): AnySyncRule {
    const found = this.#options.rules.find((rule) => rule.name === name);
    if (found !== undefined && (level === undefined || found.level === level)) return found;
    const message = `there is no rule ${name}${level === undefined ? '' : ` that is ${level}`}`;
    throw new HeddleError({ code: 'not_found', reason: 'NO_RULE', message, sent: false });
  }

  #sourceOf({ entityType }: AnySyncRule): SyncSource {
    const found = this.#options.sources?.find((source) => source.entityType === entityType);
    if (found !== undefined) return found;
    const message = `sources: expected one of entity type ${entityType}, found none`;
    throw new HeddleError({ code: 'failed_precondition', reason: 'NO_SOURCE', message, sent: false });
  }

  get #broker(): Broker {
    return this.#options.broker ?? raise(noBroker());
  }
}

function noBroker(): HeddleError {
  const message = 'broker: expected one, since there are rules that are eventual';
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_SYNC', message, sent: false });
}

function raise(error: HeddleError): never {
  throw error;
}
