import { type Code, HeddleError } from '@heddle/kernel';
import { findErrorBy, NetworkError, type ProtocolError, TimeoutError } from '@platformatic/kafka';

/** The name that Kafka has for what it refused, e.g. `REBALANCE_IN_PROGRESS`; undefined if it refused nothing. */
export function refusalOf(thrown: unknown): string | undefined {
  const all = thrown instanceof AggregateError ? thrown.errors : [thrown];
  for (const one of all) {
    const name: unknown = (one as Partial<ProtocolError> | undefined)?.['apiId'];
    if (typeof name === 'string') return name;
  }
  return undefined;
}

// What another try, perhaps with another server, may help against. Source: Kafka protocol guide, error codes.
const passing: ReadonlySet<string> = new Set([
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR',
  'REPLICA_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'INCONSISTENT_TOPIC_ID',
  'REBALANCE_IN_PROGRESS',
  'KAFKA_STORAGE_ERROR',
  'NOT_CONTROLLER',
  'THROTTLING_QUOTA_EXCEEDED',
]);

const denied: ReadonlySet<string> = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
]);

/** Where an error of the client becomes one of ours. */
export function kafkaError(thrown: unknown): HeddleError {
  if (thrown instanceof HeddleError) return thrown;
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  const make = (code: Code, reason: string, sent: boolean, text = cause.message): HeddleError =>
    new HeddleError({ code, reason, message: `Kafka: ${text}`, cause, sent });
  const refusal = refusalOf(thrown);
  if (refusal !== undefined) {
    if (passing.has(refusal))
      return make('unavailable', 'KAFKA_NOT_READY', refusal.includes('REPLICAS'), refusal);
    if (denied.has(refusal)) return make('permission_denied', 'KAFKA_DENIED', false, refusal);
    if (refusal === 'REQUEST_TIMED_OUT') return make('deadline_exceeded', 'NO_ANSWER', true, refusal);
    return make('internal', `KAFKA_${refusal}`, true, refusal);
  }
  if (cause instanceof TimeoutError) return make('deadline_exceeded', 'NO_ANSWER', true);
  if (
    findErrorBy(cause, 'code', NetworkError.code) === null &&
    !/ECONN|closed|EPIPE|ETIMEDOUT/i.test(cause.message)
  )
    return make('internal', 'KAFKA_ERROR', true);
  return make(
    'unavailable',
    'KAFKA_UNREACHABLE',
    !/ECONNREFUSED|ENOTFOUND|EHOSTUNREACH/.test(wordsOf(cause)),
  );
}

function wordsOf(cause: Error): string {
  const inner = cause instanceof AggregateError ? cause.errors : [cause.cause];
  return [cause.message, ...inner.map((one) => (one instanceof Error ? wordsOf(one) : ''))].join(' ');
}
