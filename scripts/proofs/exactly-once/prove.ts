// Runs of the bank, each with a `kill -9` at a random moment.
import { type Runtime, sleep } from '@heddle/kernel';
import { quietRuntime } from '../../contracts/messaging/stage.ts';
import { Bank, type Books, total, type Victim, victims } from './bank.ts';

/** What is to be run. */
export interface ProofOptions {
  readonly runs: number;
  /** Default true. Without it the proof must fail. */
  readonly inbox?: boolean;
  /** Who may be killed. Default: everybody. */
  readonly among?: readonly Victim[];
  readonly onRun?: (run: number, victim: Victim, books: Books) => void;
}

/** What came of it. */
export interface ProofResult {
  readonly runs: number;
  readonly transfers: number;
  readonly kills: Readonly<Record<Victim, number>>;
  /** The first run whose books were wrong, and how; undefined if none was. */
  readonly broken: { readonly run: number; readonly victim: Victim; readonly books: Books } | undefined;
}

const transfersPerRun = 40;
// About as long as the transfers of a run are on their way.
const killWithinMs = 400;

/** Runs until the books are wrong or all runs are done. */
export async function proveExactlyOnce(options: ProofOptions): Promise<ProofResult> {
  const { runs, inbox = true, among = victims, onRun } = options;
  const { random }: Runtime = quietRuntime;
  const bank = new Bank(inbox);
  const kills: Record<Victim, number> = { sender: 0, relay: 0, receiver: 0, broker: 0 };
  let broken: ProofResult['broken'];
  let run = 0;
  try {
    await bank.start();
    for (; run < runs && broken === undefined; run += 1) {
      const victim = among[random.uint32() % among.length] as Victim;
      await bank.wish(transfersPerRun);
      await sleep(quietRuntime.timers, random.float() * killWithinMs);
      await bank.kill(victim);
      kills[victim] += 1;
      const books = await bank.settle();
      onRun?.(run, victim, books);
      if (books.lost > 0 || books.doubled > 0 || books.sum !== total) broken = { run, victim, books };
    }
  } finally {
    await bank.stop();
  }
  return { runs: run, transfers: run * transfersPerRun, kills, broken };
}
