import { type Call, correlationId, HeddleError, traceContext } from '@heddle/kernel';
import { excluded, type Exclusion, standings } from '@heddle/traffic';
import type { GroupView } from '../instance-group.ts';
import type { Member } from '../member.ts';
import { causeOf } from './cause.ts';
import type {
  DecisionRecord,
  RecordedAttempt,
  RecordedCandidate,
  RecordedOutcome,
} from './decision-record.ts';
import type { AttemptNotes, Recording } from './recording.ts';

type AnyMember = Member<unknown, unknown>;
type AnyView = GroupView<unknown, unknown>;

/** More candidates than that are counted, not listed. */
const listed = 32;

/** Whose record it is, and how its layers stand. */
export interface RecordedBy {
  readonly process: string;
  readonly side: DecisionRecord['side'];
  readonly target: string;
  /** Which route or rule had matched. */
  readonly route?: DecisionRecord['route'];
  readonly layers?: () => Readonly<Record<string, string>>;
}

/** The record of a call that has ended, as things stand now. */
export function render(
  by: RecordedBy,
  recorded: Recording,
  call: Call,
  error: HeddleError | undefined,
): DecisionRecord {
  const { clock } = call.runtime;
  const nowMs = clock.nowMs();
  const tookMs = nowMs - recorded.startMs;
  const last = recorded.attempts.findLast(({ view }) => view !== undefined);
  const view = last?.view;
  const traceId = call.get(traceContext)?.traceId;
  const correlation = call.get(correlationId);
  const failure = error ?? failedAnswer(recorded);
  const leftMs = call.remainingMs();
  return {
    ...(traceId !== undefined && { traceId }),
    ...(correlation !== undefined && { correlationId: correlation }),
    process: by.process,
    side: by.side,
    operation: recorded.operation,
    target: by.target,
    at: new Date(clock.wallMs() - tookMs).toISOString(),
    tookMs: rounded(tookMs),
    outcome: outcomeOf(error, recorded.answer),
    ...(failure !== undefined && { cause: causeOf(failure, recorded, by.side) }),
    ...(Number.isFinite(leftMs) && { deadlineLeftMs: rounded(leftMs) }),
    ...(by.route !== undefined && { route: by.route }),
    ...snapshotOf(view, nowMs),
    ...(view !== undefined && { policy: view.picker.policy }),
    candidates: view === undefined ? [] : candidatesOf(view, recorded, call),
    candidateCount: view?.members.length ?? 0,
    attempts: recorded.attempts.map((attempt) => attemptOf(attempt, recorded.startMs)),
    layers: { ...by.layers?.(), ...recorded.notes },
  };
}

/** An answer that means failure, put as an error: an HTTP 503 has a cause, too. */
function failedAnswer({ failed, answer, attempts }: Recording): HeddleError | undefined {
  if (!failed) return undefined;
  const message = `the answer was ${answer ?? 'a failure'}`;
  return attempts.at(-1)?.error ?? new HeddleError({ code: 'unavailable', reason: 'BAD_ANSWER', message });
}

function outcomeOf(error: HeddleError | undefined, answer: string | undefined): RecordedOutcome {
  const said = answer === undefined ? {} : { answer };
  if (error === undefined) return { code: 'ok', ...said };
  const { code, reason, message, sent } = error;
  return { code, reason, message, sent, ...said };
}

function snapshotOf(view: AnyView | undefined, nowMs: number): Pick<DecisionRecord, 'snapshot'> {
  const snapshot = view?.snapshot;
  if (snapshot === undefined) return {};
  const { revision, term, asOfMs, stale, source, panic, excluded: others } = snapshot;
  const leftOut = Object.fromEntries(Object.entries(others).filter(([, count]) => count > 0));
  return { snapshot: { revision, term, ageMs: rounded(nowMs - asOfMs), stale, source, panic, leftOut } };
}

function candidatesOf(view: AnyView, recorded: Recording, call: Call): RecordedCandidate[] {
  const tried = call.get(excluded);
  const known = new Map(standings(view.picker, tried).map((each) => [each.candidate, each.exclusion]));
  const used = new Set(recorded.attempts.map(({ member }) => member?.id));
  const first = view.members.filter(({ id }) => used.has(id));
  const others = view.members.filter(({ id }) => !used.has(id));
  return [...first, ...others]
    .slice(0, listed)
    .map((member) => candidateOf(member, known.get(member) ?? member.blocked));
}

function candidateOf(member: AnyMember, exclusion: Exclusion | undefined): RecordedCandidate {
  const { id, address, zone, weight, load, instance } = member;
  return {
    id,
    address,
    zone,
    weight,
    health: instance.health,
    inFlight: load.inFlight,
    ...(load.latencyMs > 0 && { latencyMs: rounded(load.latencyMs) }),
    ...(exclusion !== undefined && { exclusion: textOf(exclusion) }),
  };
}

function textOf({ reason, detail }: Exclusion): string {
  return detail === undefined ? reason : `${reason}: ${detail}`;
}

function attemptOf(notes: AttemptNotes, startMs: number): RecordedAttempt {
  const { number, member, endMs, error, answer, decision } = notes;
  return {
    number,
    ...(member !== undefined && { instance: member.id, address: member.address }),
    atMs: rounded(notes.startMs - startMs),
    ...(endMs !== undefined && { tookMs: rounded(endMs - notes.startMs), outcome: outcomeOf(error, answer) }),
    ...(decision !== undefined && nextOf(decision)),
  };
}

function nextOf(decision: NonNullable<AttemptNotes['decision']>): { next?: string } {
  if (decision.retry) return { next: `retry after ${Math.round(decision.delayMs)} ms` };
  return decision.why === 'settled' ? {} : { next: `given up: ${decision.why}` };
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
