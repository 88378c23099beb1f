// How the programs of this folder talk to the bench: see scripts/engines/peer.ts.
import { createInterface } from 'node:readline';

/** What a program answers when asked by name; the rest of the line is its argument. */
export type Answers = Readonly<Record<string, (argument: string) => Promise<string> | string>>;

/** Says that the program is ready and answers until its input ends, which ends the process. */
export function announce(port: number, answers: Answers = {}): void {
  const all: Answers = { gc: collectGarbage, ...answers };
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const [name = '', argument = ''] = line.split(' ');
    const answer = all[name];
    if (answer === undefined) throw new Error(`nobody here answers ${name}`);
    void Promise.resolve(answer(argument)).then((text) => process.stdout.write(`${text}\n`));
  });
  lines.on('close', () => process.exit(0));
  process.stdout.write(`ready ${port}\n`);
}

/** The answer of a client: how many calls came back, with 100 in flight, until `ms` had passed. */
export function callsInFlight(call: () => Promise<void>): Answers {
  return { run: repeated(call, 100) };
}

/** The same with a number in flight that the bench says: `run-1`, `run-100`. */
export function callsAtOnce(call: () => Promise<void>): Answers {
  return { 'run-1': repeated(call, 1), 'run-100': repeated(call, 100) };
}

function repeated(call: () => Promise<void>, inFlight: number): Answers[string] {
  return async (ms) => {
    const overAt = performance.now() + Number(ms);
    let calls = 0;
    const one = async (): Promise<void> => {
      while (performance.now() < overAt) {
        await call();
        calls++;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, one));
    return `calls ${calls}`;
  };
}

/** So that memory is compared without what is garbage already; `node --expose-gc` where it counts. */
function collectGarbage(): string {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  return 'gc';
}
