/** Where and how a simulation went wrong. */
export interface FailureFacts {
  readonly scenario: string;
  readonly seed: number;
  readonly atMs: number;
  /** The name of the check, or of the host whose program made the mistake. */
  readonly what: string;
  readonly why: string;
  /** The last lines of the transcript. */
  readonly tail: readonly string[];
  readonly cause?: unknown;
}

/** A broken promise of the system under simulation. Its message says how to see it again. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
  readonly facts: FailureFacts;

  constructor(facts: FailureFacts) {
    super(describe(facts), { cause: facts.cause });
    this.facts = facts;
  }
}

function describe({ scenario, seed, atMs, what, why, tail }: FailureFacts): string {
  return [
    `${scenario}, seed ${seed}, at ${atMs.toFixed(3)} ms: ${what}: ${why}`,
    `see it again: npm run sim -- --scenario ${scenario} --seed ${seed}`,
    'what happened last:',
    ...tail,
  ].join('\n');
}
