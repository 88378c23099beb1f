// Runs a measurement: everybody started, checked and warmed up, then turn by turn.
import type { Place, Running } from '../../scripts/engines/engine.ts';
import { median } from '../measure.ts';
import type { Contender } from './contender.ts';
import { cpuMicros } from './process-cost.ts';
import type { Work } from './work.ts';

/** How long to measure. */
export interface Pace {
  readonly rounds: number;
  readonly turnMs: number;
  /**
   * Turns before the first that counts, at least. What is compiled while it runs (all that is on Node) needs some, and on
   * a busy machine more: there are up to four times as many, until two in a row are no cheaper than those before.
   */
  readonly warmTurns: number;
}

/** What came of one who took part; medians over the rounds. */
export interface Standing {
  readonly name: string;
  /** CPU time of the subject. */
  readonly microsPerCall: number;
  readonly perSecond: number;
}

/** One who did not take part, and why. */
export interface Absence {
  readonly name: string;
  readonly reason: string;
}

/** What came of a measurement. */
export interface Outcome {
  readonly standings: readonly Standing[];
  readonly absent: readonly Absence[];
}

interface Participant {
  readonly name: string;
  readonly running: Running;
  readonly micros: number[];
  readonly perSecond: number[];
  /** Why it no longer takes part. */
  failure: string | undefined;
}

/**
 * Measures all who can be had. One that cannot be had, or does not do the work right, is absent with the reason.
 * The order turns round by round, so that a noisy neighbour hurts all alike.
 */
export async function compete(work: Work, upstream: Place, pace: Pace): Promise<Outcome> {
  const participants: Participant[] = [];
  const absent: Absence[] = [];
  try {
    for (const contender of work.contenders) {
      const reason = await enter(work, contender, upstream, pace, participants);
      if (reason !== undefined) absent.push({ name: contender.name, reason });
    }
    for (let round = 0; round < pace.rounds; round++) {
      for (let turn = 0; turn < participants.length; turn++)
        await takeTurn(work, participants[(round + turn) % participants.length] as Participant, pace);
    }
  } finally {
    await Promise.all(participants.map(({ running }) => running.stop()));
  }
  for (const { name, failure } of participants)
    if (failure !== undefined) absent.push({ name, reason: `failed at work: ${failure}` });
  return { standings: participants.filter(({ failure }) => failure === undefined).map(standingOf), absent };
}

async function enter(
  work: Work,
  contender: Contender,
  upstream: Place,
  pace: Pace,
  participants: Participant[],
): Promise<string | undefined> {
  const missing = await contender.missing();
  if (missing !== undefined) return missing;
  const running = await contender.start(upstream);
  try {
    await work.verify(running);
    await warmUp(work, running, pace);
  } catch (error) {
    await running.stop();
    return `does not do the work: ${(error as Error).message}`;
  }
  participants.push({ name: contender.name, running, micros: [], perSecond: [], failure: undefined });
  return undefined;
}

async function warmUp(work: Work, running: Running, { warmTurns, turnMs }: Pace): Promise<void> {
  let cheapest = Number.POSITIVE_INFINITY;
  let steady = 0;
  for (let turn = 0; turn < warmTurns || (steady < 2 && turn < 4 * warmTurns); turn++) {
    const { micros } = await costOf(work, running, turnMs);
    steady = micros > cheapest * 0.97 ? steady + 1 : 0;
    cheapest = Math.min(cheapest, micros);
  }
}

/** One turn: CPU time per call, and calls in a second. */
async function costOf(
  work: Work,
  running: Running,
  turnMs: number,
): Promise<{ readonly micros: number; readonly perSecond: number }> {
  const before = cpuMicros(running.pid);
  const { calls, elapsedMs } = await work.turn(running, turnMs);
  return { micros: (cpuMicros(running.pid) - before) / calls, perSecond: calls / (elapsedMs / 1000) };
}

async function takeTurn(work: Work, participant: Participant, pace: Pace): Promise<void> {
  if (participant.failure !== undefined) return;
  try {
    await measureTurn(work, participant, pace);
  } catch (error) {
    participant.failure = (error as Error).message;
  }
}

async function measureTurn(work: Work, participant: Participant, pace: Pace): Promise<void> {
  const { micros, perSecond } = await costOf(work, participant.running, pace.turnMs);
  participant.micros.push(micros);
  participant.perSecond.push(perSecond);
}

function standingOf({ name, micros, perSecond }: Participant): Standing {
  return { name, microsPerCall: median(micros), perSecond: median(perSecond) };
}
