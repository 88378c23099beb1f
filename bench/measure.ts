/** One thing to time. `run` does `iterations` repetitions of it, back to back. */
export interface Subject {
  readonly name: string;
  run(iterations: number): void | Promise<void>;
}

/** How to time. */
export interface MeasureOptions {
  /** How many times each subject gets its turn. Default 15. */
  readonly rounds?: number;
  /** How long one turn should last. Default 30 ms. */
  readonly turnMs?: number;
  /** Default `wall`. `cpu` is this thread's time alone: for what neither waits nor collects much, on a busy machine. */
  readonly clock?: 'wall' | 'cpu';
}

/**
 * Nanoseconds per repetition of each subject: the median over rounds in which all take turns, so that a noisy
 * neighbour hurts all alike. The order turns round by round.
 */
export async function measure(
  subjects: readonly Subject[],
  options: MeasureOptions = {},
): Promise<Map<string, number>> {
  const { rounds = 15, turnMs = 30, clock = 'wall' } = options;
  const iterations = new Map<string, number>();
  for (const subject of subjects) iterations.set(subject.name, await calibrate(subject, turnMs, clock));
  const samples = new Map<string, number[]>(subjects.map((subject) => [subject.name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < subjects.length; turn++) {
      const subject = subjects[(round + turn) % subjects.length] as Subject;
      const count = iterations.get(subject.name) as number;
      samples.get(subject.name)?.push((await time(subject, count, clock)) / count);
    }
  }
  return new Map([...samples].map(([name, values]) => [name, median(values)]));
}

/** The middle one; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}

async function time(subject: Subject, iterations: number, clock: 'wall' | 'cpu'): Promise<number> {
  const start = clock === 'cpu' ? threadCpuNs() : wallNs();
  await subject.run(iterations);
  return (clock === 'cpu' ? threadCpuNs() : wallNs()) - start;
}

function wallNs(): number {
  return performance.now() * 1e6;
}

/** CPU time that this thread has used so far. */
export function threadCpuNs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) * 1000;
}

/** Repeats until a turn lasts long enough; warms the code up on the way. */
async function calibrate(subject: Subject, turnMs: number, clock: 'wall' | 'cpu'): Promise<number> {
  let iterations = 1000;
  for (;;) {
    const tookNs = await time(subject, iterations, clock);
    if (tookNs > turnMs * 1e6) return iterations;
    iterations = Math.ceil(iterations * Math.min(10, (turnMs * 1.2e6) / Math.max(tookNs, 1)));
  }
}
