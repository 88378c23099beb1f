// Turns of contenders, interleaved round by round, so that a noisy neighbour hurts all alike.
import { median } from '../measure.ts';
import type { BenchResult, SkippedPeer } from '../report.ts';

/** Somebody who takes part in a measurement. */
export interface Contender {
  readonly name: string;
  /** Makes ready what a turn needs. Rejects if this contender cannot be had: it is skipped, with that reason. */
  open(): Promise<OpenContender>;
}

/** One that is ready. */
export interface OpenContender {
  /** One turn of about so long; the value of that turn. */
  turn(ms: number): Promise<number>;
  close(): Promise<void>;
}

/** How long all takes. */
export interface Pace {
  readonly rounds: number;
  readonly turnMs: number;
}

/** Of all contenders that could be had, the median of their turns; of the others, why not. */
export interface Standing {
  readonly values: ReadonlyMap<string, number>;
  readonly absent: ReadonlyMap<string, string>;
}

/** Plays rounds. The first of the contenders must take part. */
export async function compete(contenders: readonly Contender[], pace: Pace): Promise<Standing> {
  const open = new Map<string, OpenContender>();
  const absent = new Map<string, string>();
  const turns = new Map<string, number[]>();
  const leave = (name: string, error: unknown): void => {
    if (name === contenders[0]?.name) throw error;
    const text = error instanceof Error ? error.message : String(error);
    absent.set(name, (text.split('\n')[0] ?? '').slice(0, 200));
    turns.delete(name);
  };
  try {
    for (const contender of contenders) {
      try {
        open.set(contender.name, await inTime(contender.open()));
        // What is not measured warms everything up.
        await inTime(open.get(contender.name)?.turn(pace.turnMs / 3));
        turns.set(contender.name, []);
      } catch (error) {
        leave(contender.name, error);
      }
    }
    for (let round = 0; round < pace.rounds; round += 1)
      for (const [name, values] of turns) {
        try {
          values.push((await inTime(open.get(name)?.turn(pace.turnMs))) ?? Number.NaN);
        } catch (error) {
          leave(name, error);
        }
      }
  } finally {
    for (const contender of open.values()) await inTime(contender.close()).catch(() => {});
  }
  return { values: new Map([...turns].map(([name, all]) => [name, median(all)])), absent };
}

const patienceMs = 60_000;

/** A contender that waits for ever is one that cannot be had. */
async function inTime<T>(work: T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`nothing came of it within ${patienceMs / 1000} s`)),
      patienceMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Goals by name of the peer: the least ratio. */
export type Goals = Readonly<Record<string, number>>;

/** The first contender beside each of the others, as results. */
export function resultsOf(
  name: string,
  unit: string,
  subject: string,
  { values, absent }: Standing,
  goals: Goals = {},
  lessIsBetter = false,
): { readonly results: readonly BenchResult[]; readonly skipped: readonly SkippedPeer[] } {
  const value = values.get(subject) ?? Number.NaN;
  const results = [...values]
    .filter(([peer]) => peer !== subject)
    .map(([peer, peerValue]): BenchResult => {
      const ratio = lessIsBetter ? peerValue / value : value / peerValue;
      const goal = goals[peer];
      const met = goal === undefined ? {} : { goal: `>= ${goal}x`, goalMet: ratio >= goal };
      return { name, subject, unit, value, peer, peerValue, ratio, ...met };
    });
  return { results, skipped: [...absent].map(([peer, reason]) => ({ name, peer, reason })) };
}

/** Repeats work, one after another, for about so long: how many units a second. */
export async function perSecond(ms: number, units: number, work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  let done = 0;
  while (performance.now() - startedAt < ms) {
    await work();
    done += units;
  }
  return (done * 1000) / (performance.now() - startedAt);
}

/** The middle of the times that something takes, again and again for about so long. */
export async function medianLatency(ms: number, once: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  const startedAt = performance.now();
  while (performance.now() - startedAt < ms || times.length < 5) {
    const before = performance.now();
    await once();
    times.push(performance.now() - before);
  }
  return times.toSorted((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}
