import { SimulationFailure } from './failure.ts';
import { simulate, type World } from './world.ts';

/** A story that must end well under every seed. */
export interface Scenario {
  /** In kebab-case; the command line calls it so. */
  readonly name: string;
  /** What it shows, in a sentence. */
  readonly summary: string;
  /** Sets the world up and runs it. Throws `SimulationFailure` (by `World.run`) when a promise is broken. */
  run(world: World): Promise<void>;
}

/** How one seed went. */
export interface SeedReport {
  readonly seed: number;
  readonly failure: SimulationFailure | undefined;
  readonly lines: readonly string[];
  readonly simulatedMs: number;
}

/** Runs a scenario under one seed. Never rejects. `watch` lends it the ear of what no program catches. */
export async function runSeed(
  scenario: Scenario,
  seed: number,
  watch: MistakeWatch = nobody,
): Promise<SeedReport> {
  const world = simulate({ seed, scenario: scenario.name });
  const stopWatching = watch((thrown) => world.mistake('uncaught', thrown));
  let failure: SimulationFailure | undefined;
  try {
    await scenario.run(world);
    await world.end();
  } catch (thrown) {
    failure = asFailure(world, thrown);
  } finally {
    stopWatching();
  }
  return { seed, failure, lines: world.transcript.lines, simulatedMs: world.nowMs };
}

/** Calls the listener for each rejection or exception that nobody handles, until the returned function is called. */
export type MistakeWatch = (listener: (thrown: unknown) => void) => () => void;

/** Where two transcripts part. */
export interface Difference {
  /** From 0. */
  readonly line: number;
  readonly first: string | undefined;
  readonly second: string | undefined;
}

/**
 * Runs a seed twice and gives the first line at which the two differ, or undefined if they agree. A difference means
 * that something goes round the runtime's ports (the real clock, `Math.random`, real I/O) or that a program keeps
 * state outside of its run.
 */
export async function findDifference(
  scenario: Scenario,
  seed: number,
  watch?: MistakeWatch,
): Promise<Difference | undefined> {
  const { lines: first } = await runSeed(scenario, seed, watch);
  const { lines: second } = await runSeed(scenario, seed, watch);
  for (let line = 0; line < Math.max(first.length, second.length); line++) {
    if (first[line] !== second[line]) return { line, first: first[line], second: second[line] };
  }
  return undefined;
}

function nobody(): () => void {
  return () => {};
}

function asFailure(world: World, thrown: unknown): SimulationFailure {
  if (thrown instanceof SimulationFailure) return thrown;
  const { scenario, seed, nowMs: atMs } = world;
  const why = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  const tail = world.transcript.tail(40);
  return new SimulationFailure({ scenario, seed, atMs, what: 'scenario', why, tail, cause: thrown });
}
