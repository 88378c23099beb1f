import type { Call, Clock, Random } from '@heddle/kernel';
import { checkOptions, delayMs, durationMs, numberFrom, present } from '../options/check-options.ts';
import { Draw } from './draw.ts';
import type { Load } from './load.ts';
import { type Candidate, inOrderOfId, type Picker, type Policy } from './picker.ts';
import { withWeight } from './untried.ts';

/** What `orca` works with. Durations in milliseconds; defaults as in gRFC A58. */
export interface OrcaOptions {
  readonly random: Random;
  readonly clock: Clock;
  /** How often the weights are made anew. Default 1000. */
  readonly updateMs?: number;
  /** An instance that has just begun to report is not believed for so long. Default 10000. */
  readonly blackoutMs?: number;
  /** A report that is older than this says nothing. Default 180000. */
  readonly expirationMs?: number;
  /** How much a failing share of the calls counts as load. Default 1. */
  readonly errorPenalty?: number;
}

interface Weighted extends Candidate {
  readonly index: number;
}

/** The clock is read once in so many picks: it costs as much as a pick. */
const clockEvery = 16;

class OrcaPicker<C extends Candidate> implements Picker<C> {
  readonly policy = 'orca';
  readonly candidates: readonly C[];
  readonly #able: readonly C[];
  readonly #options: OrcaOptions;
  #draw: Draw<Weighted>;
  #updateAtMs = 0;
  #picks = 0;

  constructor(candidates: readonly C[], options: OrcaOptions) {
    this.candidates = candidates;
    this.#able = withWeight(candidates);
    this.#options = options;
    this.#draw = this.#redrawn(options.clock.nowMs());
  }

  pick(_call: Call, excluded: readonly string[]): C | undefined {
    this.#picks = (this.#picks + 1) % clockEvery;
    if (this.#picks === 0) {
      const nowMs = this.#options.clock.nowMs();
      if (nowMs >= this.#updateAtMs) this.#draw = this.#redrawn(nowMs);
    }
    const drawn = this.#draw.untried(excluded);
    return drawn === undefined ? undefined : this.#able[drawn.index];
  }

  #redrawn(nowMs: number): Draw<Weighted> {
    const { updateMs = 1000, random } = this.#options;
    this.#updateAtMs = nowMs + updateMs;
    const capacities = this.#able.map(({ load }) =>
      load === undefined ? 0 : capacity(load, nowMs, this.#options),
    );
    const known = capacities.filter((each) => each > 0);
    // Who does not report counts as the average one. (As its period it would starve: grpc-js does that.)
    const mean = known.length === 0 ? 1 : known.reduce((sum, each) => sum + each, 0) / known.length;
    const weighted = this.#able.map(({ id, weight }, index) => {
      const each = capacities[index] as number;
      return { id, index, weight: (weight > 0 ? weight : 1) * (each > 0 ? each : mean) };
    });
    return new Draw(weighted, random, true);
  }
}

/** Calls a second that an instance would serve at full load, by its own report; 0: not known. */
export function capacity(
  load: Load,
  nowMs: number,
  options: Omit<OrcaOptions, 'random' | 'clock'> = {},
): number {
  const { blackoutMs = 10_000, expirationMs = 180_000, errorPenalty = 1 } = options;
  const { report } = load;
  if (report === undefined || nowMs - load.reportAtMs > expirationMs) return 0;
  if (nowMs - load.reportingSinceMs < blackoutMs) return 0;
  const { perSecond = 0, errorsPerSecond = 0 } = report;
  const used = report.utilization ?? Math.max(report.cpuUtilization ?? 0, report.eventLoopUtilization ?? 0);
  if (used <= 0 || perSecond <= 0) return 0;
  return perSecond / (used + (errorsPerSecond / perSecond) * errorPenalty);
}

/**
 * Candidates as often as they have capacity by their own reports (ORCA): calls a second over utilisation, where that
 * of Node's event loop counts if it is higher than the CPU's; times the weight. Needs `Load.reported`.
 * Source: gRFC A58, client-side weighted round robin; drawn at random, which needs no schedule of its own.
 */
export function orca(options: OrcaOptions): Policy {
  checkOptions('orca', options, {
    random: present,
    clock: present,
    updateMs: durationMs,
    blackoutMs: delayMs,
    expirationMs: durationMs,
    errorPenalty: numberFrom(0),
  });
  return <C extends Candidate>(candidates: readonly C[]): Picker<C> =>
    new OrcaPicker(inOrderOfId(candidates), options);
}
