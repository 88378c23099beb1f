import type { Supervised } from './supervised.ts';

/** Programs that start and stop together, as one step for people. */
export interface Group {
  /** As it is shown. */
  readonly title: string;
  readonly members: readonly Supervised[];
  /** Starts at a time. */
  readonly atOnce: number;
}

/** Starts all, a few at a time. Rejects with the first failure; what else has started is then still running. */
export async function startGroup({ members, atOnce }: Group): Promise<Readonly<Record<string, string>>[]> {
  const said: Readonly<Record<string, string>>[] = [];
  const waiting = [...members.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      said[next[0]] = await next[1].start();
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, worker));
  } catch (thrown) {
    waiting.length = 0;
    throw thrown;
  }
  return said;
}

/** Stops all at once. Gives how many had to be killed. */
export async function stopGroup({ members }: Group): Promise<number> {
  const ends = await Promise.all(members.map((member) => member.stop()));
  return ends.filter((end) => end === 'killed').length;
}
