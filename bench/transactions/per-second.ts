import type { Subject } from './sagas.ts';
import { used } from './cost.ts';

/** What a turn has shown. */
export interface Turn {
  readonly perSecond: number;
  /** CPU microseconds for one, of this process and of the server. Undefined where the system does not say. */
  readonly cost: { readonly here: number; readonly server: number } | undefined;
}

/** Who does it, in a way of its own. */
export interface Contestant {
  readonly name: string;
  turn(atOnce: number, turnMs: number): Promise<Turn>;
  stop(): Promise<void>;
}

/** Something that is done in this process and on the server with that process id. */
export function contestant(subject: Subject, postmaster: number | undefined): Contestant {
  return {
    name: subject.name,
    turn: (atOnce, turnMs) => turn(subject, atOnce, turnMs, postmaster),
    stop: () => subject.stop(),
  };
}

/** So many at once, for a time. */
export async function perSecond(
  { once }: Pick<Subject, 'once'>,
  atOnce: number,
  turnMs: number,
): Promise<number> {
  return (await turn({ once }, atOnce, turnMs)).perSecond;
}

/** So many at once, for a time, with what they cost. */
async function turn(
  { once }: Pick<Subject, 'once'>,
  atOnce: number,
  turnMs: number,
  postmaster?: number,
): Promise<Turn> {
  const before = used(postmaster);
  const startedMs = performance.now();
  let count = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() - startedMs < turnMs) {
      await once();
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const rate = (count / (performance.now() - startedMs)) * 1000;
  const after = used(postmaster);
  if (before === undefined || after === undefined) return { perSecond: rate, cost: undefined };
  return {
    perSecond: rate,
    cost: { here: (after.here - before.here) / count, server: (after.server - before.server) / count },
  };
}
