// The 99th percentile at 70 % of what each can do, each at its own.
import type { Place, Running } from '../../scripts/engines/engine.ts';
import { median } from '../measure.ts';
import type { Pace } from '../wire/rounds.ts';
import { loadAtRate, loadFull, warmUp } from './load.ts';
import { latencyContenders, target } from './work.ts';

const share = 0.7;

/** What came of one. */
export interface Latency {
  readonly name: string;
  readonly p99Ms: number;
  /** Requests per second at which it was measured. */
  readonly perSecond: number;
}

interface Participant {
  readonly name: string;
  readonly running: Running;
  readonly perSecond: number;
  readonly times: number[];
}

/** Measures all who can be had, turn by turn. */
export async function latencies(
  upstream: Place,
  pace: Pace,
): Promise<{
  readonly measured: readonly Latency[];
  readonly absent: readonly { name: string; reason: string }[];
}> {
  const participants: Participant[] = [];
  const absent: { name: string; reason: string }[] = [];
  try {
    for (const contender of latencyContenders) {
      const { name } = contender;
      const reason = await contender.missing();
      if (reason !== undefined) {
        absent.push({ name, reason });
        continue;
      }
      const running = await contender.start(upstream);
      participants.push({ name, running, perSecond: share * (await capacityOf(running, pace)), times: [] });
    }
    for (let round = 0; round < pace.rounds; round++)
      for (let turn = 0; turn < participants.length; turn++) {
        const { running, perSecond, times } = participants[
          (round + turn) % participants.length
        ] as Participant;
        times.push(await loadAtRate(running.address, target, perSecond, pace.turnMs * 2));
      }
  } finally {
    await Promise.all(participants.map(({ running }) => running.stop()));
  }
  const measured = participants.map(({ name, perSecond, times }) => ({
    name,
    perSecond,
    p99Ms: median(times),
  }));
  return { measured, absent };
}

/** The median of some turns, after those that warm up. */
async function capacityOf({ address }: Running, pace: Pace): Promise<number> {
  await warmUp(address, { target });
  const rates: number[] = [];
  for (let turn = 0; turn < pace.warmTurns + 3; turn++) {
    const { calls, elapsedMs } = await loadFull(address, { target }, pace.turnMs);
    if (turn >= pace.warmTurns) rates.push(calls / (elapsedMs / 1000));
  }
  return median(rates);
}
