import { HeddleError, type Runtime } from '@heddle/kernel';
import type { SubscribeOptions, Subscription } from '../broker.ts';
import type { DeadLetters } from '../delivery/dead-letters.ts';
import { type BatchHandler, Handling } from '../delivery/handling.ts';
import { type RunOptions, runClaim } from '../delivery/run-claim.ts';
import type { Engine } from '../engine.ts';
import { groupNameRule, isGroupName, type TopicInfo } from '../topic/topic.ts';
import type { BrokerMeasures } from './measures.ts';

/** What a subscription is made from. */
export interface SubscriptionInit {
  readonly runtime: Runtime;
  readonly engine: Engine;
  readonly topic: TopicInfo;
  readonly options: SubscribeOptions;
  readonly batch: number;
  readonly handler: BatchHandler;
  readonly deadLetters: (group: string) => DeadLetters;
  readonly measures: BrokerMeasures | undefined;
}

/** Joins the group and works on every partition that it is given, until it is closed. */
export async function openSubscription(init: SubscriptionInit): Promise<Subscription> {
  const { runtime, engine, topic, options } = init;
  checkOptions(init);
  const temporary = options.broadcast === true;
  const group = options.group ?? `b-${runtime.random.uuid()}`;
  const run = runOptions(init, group, temporary);
  const running = new Set<Promise<void>>();
  let troubled = false;
  const membership = engine.join({
    topic,
    group,
    member: runtime.random.uuid(),
    start: temporary ? 'latest' : (options.from ?? 'earliest'),
    temporary,
    onClaim: (claim) => {
      const work: Promise<void> = runClaim(claim, run).finally(() => running.delete(work));
      running.add(work);
    },
    onProblem: (problem) => {
      if (problem !== undefined && !troubled)
        runtime.log('warn', 'a subscription is in trouble', {
          topic: topic.name,
          group,
          reason: problem.reason,
          error: problem.message,
        });
      troubled = problem !== undefined;
    },
  });
  return {
    async close() {
      membership.end();
      await Promise.all(running);
      await membership.leave();
    },
  };
}

function runOptions(
  { runtime, topic, options, batch, handler, deadLetters, measures }: SubscriptionInit,
  group: string,
  temporary: boolean,
): RunOptions {
  const once = options.mode === 'at-most-once';
  const dead = deadLetters(group);
  const handling = new Handling({
    runtime,
    handler,
    attempts: once ? 1 : (options.attempts ?? 5),
    backoff: options.backoff ?? { baseMs: 100, maxMs: 30_000 },
    handlerTimeoutMs: options.handlerTimeoutMs ?? 30_000,
    deadLetter: async (delivery, error) => {
      runtime.log('warn', 'a message could not be handled', {
        topic: topic.name,
        group,
        id: delivery.message.id,
        attempts: delivery.attempt,
        reason: error.reason,
        error: error.message,
      });
      // Whoever missed a broadcast or chose to lose what fails has nothing to come back to.
      if (!once && !temporary) await dead.add(delivery, error);
    },
    onOutcome: (outcome, deliveries) => measures?.consumed(outcome, topic.name, group, deliveries),
  });
  return { runtime, handling, concurrency: options.concurrency ?? 1, batch, acknowledgeFirst: once };
}

const optionNames: ReadonlySet<string> = new Set([
  'group',
  'broadcast',
  'from',
  'mode',
  'concurrency',
  'attempts',
  'backoff',
  'handlerTimeoutMs',
]);

/** Throws `invalid_argument` / `BAD_SUBSCRIPTION` with all problems at once. */
function checkOptions({ topic, options, batch, engine }: SubscriptionInit): void {
  const { group, broadcast, concurrency = 1, attempts = 5, handlerTimeoutMs = 30_000 } = options;
  const problems: string[] = [];
  if ((group === undefined) === (broadcast === undefined))
    problems.push('group, broadcast: say one of the two, `group: "…"` or `broadcast: true`');
  if (group !== undefined && !isGroupName(group))
    problems.push(`group: expected ${groupNameRule}, found ${JSON.stringify(group)}`);
  for (const [name, value, most] of [
    ['concurrency', concurrency, 1000],
    ['attempts', attempts, 1000],
    ['batch', batch, 1000],
  ] as const)
    if (!Number.isInteger(value) || value < 1 || value > most)
      problems.push(`${name}: expected a whole number from 1 to ${most}, found ${value}`);
  if (!(handlerTimeoutMs > 0))
    problems.push(`handlerTimeoutMs: expected more than 0, found ${handlerTimeoutMs}`);
  for (const name of Object.keys(options))
    if (!optionNames.has(name)) problems.push(`${name}: there is no such option`);
  if (problems.length > 0) {
    const message = `topic ${topic.name} cannot be subscribed to: ${problems.join('; ')}`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_SUBSCRIPTION', message, sent: false });
  }
  if (!engine.promises.replay && broadcast !== true && (options.from ?? 'earliest') === 'earliest') {
    const message = `${engine.name} keeps nothing for groups that do not exist yet: say \`from: 'latest'\``;
    throw new HeddleError({ code: 'unimplemented', reason: 'UNSUPPORTED', message, sent: false });
  }
}
