// One target, one seed, for so long: generates, mutates, keeps what shows something new, and stops at what is broken.
import { Chance } from './chance.ts';
import type { Coverage } from './coverage.ts';
import { minimise } from './minimise.ts';
import { mutate } from './mutate.ts';
import { Strays } from './strays.ts';
import { Finding, type Target } from './target.ts';

/** What a campaign is told. */
export interface CampaignOptions {
  readonly seed: number;
  /** Ends when this says so; asked before each input. */
  readonly enough: (inputs: number) => boolean;
  /** Without it, new signatures alone say what is worth keeping. */
  readonly coverage?: Coverage;
  /** What to start from, besides the target's own seeds. */
  readonly corpus: readonly Uint8Array[];
  /** Hears of each input before it is run: so that one that never ends is known. */
  readonly running?: (input: Uint8Array) => void;
}

/** Something that is broken, with the smallest input that shows it. */
export interface Found {
  readonly input: Uint8Array;
  readonly problem: string;
}

/** What came of a campaign. */
export interface CampaignReport {
  readonly inputs: number;
  readonly signatures: number;
  /** How many inputs showed something new. */
  readonly shown: number;
  /** The first of them. */
  readonly interesting: readonly Uint8Array[];
  readonly found: Found | undefined;
}

// Taking stock of what has run costs as much as hundreds of inputs: where there is nothing new, it is done more seldom.
const leastBatch = 40;
const largestBatch = 1280;
const mostKept = 1000;
const mostInteresting = 200;
// A heap that grew by this much, garbage aside, while thousands of connections came and went, holds on to some.
const mostGrowthBytes = 64 * 1024 * 1024;

/** Runs it. */
export async function campaign(target: Target, options: CampaignOptions): Promise<CampaignReport> {
  const chance = new Chance(options.seed);
  const strays = new Strays();
  const signatures = new Set<string>();
  const pool: Uint8Array[] = [];
  const interesting: Uint8Array[] = [];
  const starts = [...target.seeds, ...options.corpus];
  const batch: Uint8Array[] = [];
  const memory = new MemoryWatch();
  let inputs = 0;
  let shown = 0;
  let batchSize = leastBatch;
  const next = (): Uint8Array => {
    const start = starts[inputs];
    if (start !== undefined) return start;
    if (pool.length === 0 || chance.oneIn(4)) return target.generate(chance);
    return mutate(chance.pick(pool), chance, target, chance.pick(pool));
  };
  const keep = (input: Uint8Array): void => {
    if (inputs >= starts.length && interesting.length < mostInteresting) interesting.push(input);
    if (inputs >= starts.length) shown++;
    if (pool.length < mostKept) pool.push(input);
    else pool[chance.below(mostKept)] = input;
  };
  try {
    for (; !options.enough(inputs); inputs++) {
      const input = next();
      options.running?.(input);
      const outcome = await attempt(target, input, strays);
      if (outcome.problem !== undefined) {
        const found = await settle(target, input, outcome.problem, strays);
        return { inputs, signatures: signatures.size, shown, interesting, found };
      }
      if (!signatures.has(outcome.signature)) {
        signatures.add(outcome.signature);
        keep(input);
      } else batch.push(input);
      if (batch.length < batchSize || options.coverage === undefined) continue;
      const showing = await showingNew(target, batch.splice(0), options.coverage);
      for (const each of showing) keep(each);
      batchSize = showing.length > 0 ? leastBatch : Math.min(batchSize * 2, largestBatch);
      const grown = memory.look(inputs);
      if (grown > mostGrowthBytes) {
        const problem = `memory grew by ${grown} bytes in ${inputs} inputs`;
        return { inputs, signatures: signatures.size, shown, interesting, found: { input, problem } };
      }
    }
  } finally {
    strays.stop();
  }
  return { inputs, signatures: signatures.size, shown, interesting, found: undefined };
}

/** Of a batch that ran code that had not run before, the inputs that did. */
async function showingNew(
  target: Target,
  batch: readonly Uint8Array[],
  coverage: Coverage,
): Promise<readonly Uint8Array[]> {
  const fresh = await coverage.fresh();
  return fresh.size === 0 ? [] : searched(target, batch, fresh, coverage);
}

/** Those that run one of the blocks, found by halves: mostly there is one, and to look at each by itself takes a second. */
async function searched(
  target: Target,
  inputs: readonly Uint8Array[],
  fresh: ReadonlySet<string>,
  coverage: Coverage,
): Promise<readonly Uint8Array[]> {
  for (const input of inputs) await target.run(input);
  if (!(await coverage.ran(fresh))) return [];
  if (inputs.length === 1) return inputs;
  const half = inputs.length >> 1;
  const first = await searched(target, inputs.slice(0, half), fresh, coverage);
  return [...first, ...(await searched(target, inputs.slice(half), fresh, coverage))];
}

interface Outcome {
  readonly signature: string;
  readonly problem: string | undefined;
}

async function attempt(target: Target, input: Uint8Array, strays: Strays): Promise<Outcome> {
  try {
    const signature = await target.run(input);
    return { signature, problem: await strays.take() };
  } catch (error) {
    // What the engine throws at its caller is as wrong as what an oracle finds.
    const problem =
      error instanceof Finding
        ? error.message
        : `thrown: ${error instanceof Error ? error.stack : String(error)}`;
    return { signature: '', problem };
  }
}

/** Makes the input small, as long as it fails in the same way. */
async function settle(target: Target, input: Uint8Array, problem: string, strays: Strays): Promise<Found> {
  const kind = kindOf(problem);
  let last = problem;
  const smallest = await minimise(input, target, async (candidate) => {
    const outcome = await attempt(target, candidate, strays);
    if (outcome.problem === undefined || kindOf(outcome.problem) !== kind) return false;
    last = outcome.problem;
    return true;
  });
  return { input: smallest, problem: last };
}

/** A problem without what varies: its first words. */
function kindOf(problem: string): string {
  return problem.replace(/[:"\d][^]*/, '');
}

/** Looks at the heap now and then. */
class MemoryWatch {
  #baseline = 0;
  #nextAt = 4000;

  /** How much more is held than at the first look; 0 when it is not time to look. */
  look(inputs: number): number {
    if (inputs < this.#nextAt || globalThis.gc === undefined) return 0;
    this.#nextAt = inputs + 10_000;
    globalThis.gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const held = heapUsed + arrayBuffers;
    if (this.#baseline === 0) this.#baseline = held;
    return held - this.#baseline;
  }
}
