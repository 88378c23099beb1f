// Runs commands as named steps, a few at a time: a line per step, and the whole output of those that fail.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { root } from './files.ts';

/** A command with a name people know it by. `command` is looked up in node_modules/.bin first. */
export interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Reads what the step counted; without it a step counts as one passed or failed. */
  readonly tally?: () => Tally;
  /**
   * After a failure and its tally: the steps that run what failed once more, alone; none when that would not help.
   * What passes then is counted as passed and named as unsteady (adr/0023).
   */
  readonly again?: () => readonly Step[];
}

/** What a step counted, and the names of what failed and of what was left out. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** What is known by name of that which failed: fewer than `failed` when a step fell over. */
  readonly failures: readonly string[];
  readonly skipped: readonly string[];
  /** What failed beside others and passed alone. */
  readonly unsteady: readonly string[];
}

/** The tally of no test at all. */
export const nothing: Tally = { passed: 0, failed: 0, failures: [], skipped: [], unsteady: [] };

/** Runs `steps` in order with at most `atOnce` at a time and returns the sum. Prints as it goes. */
export async function runSteps(steps: readonly Step[], atOnce: number): Promise<Tally> {
  const waiting = [...steps];
  const tallies: Tally[] = [];
  const worker = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift())
      tallies.push(await runStep(step));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return sum(tallies);
}

/** Adds tallies up. */
export function sum(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((total, tally) => total + tally.passed, 0),
    failed: tallies.reduce((total, tally) => total + tally.failed, 0),
    failures: tallies.flatMap((tally) => tally.failures),
    skipped: tallies.flatMap((tally) => tally.skipped),
    unsteady: tallies.flatMap((tally) => tally.unsteady),
  };
}

async function runStep(step: Step): Promise<Tally> {
  const started = performance.now();
  const { code, output } = await run(step);
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(6);
  const tally = combine(step.name, code === 0, step.tally?.());
  const counted = step.tally === undefined ? '' : `  ${tally.passed} passed`;
  const left = tally.skipped.length === 0 ? '' : `, ${tally.skipped.length} SKIPPED`;
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${step.name.padEnd(18)}${seconds} s${counted}${left}`);
  if (code === 0) return tally;
  console.log(`${output.trimEnd()}\n${'-'.repeat(40)} end of ${step.name}`);
  return settle(tally, step.again?.() ?? []);
}

/** A failure stands unless all that failed passes when it runs once more; what failed twice is named first. */
async function settle(tally: Tally, again: readonly Step[]): Promise<Tally> {
  if (again.length === 0) return tally;
  const second = await runSteps(again, 1);
  // What is left out the second time has not passed.
  if (second.failed > 0) return { ...tally, failures: twiceFirst(tally.failures, second.failures) };
  if (second.skipped.length > tally.skipped.length || second.passed === 0) return tally;
  const { passed, failed, failures, skipped, unsteady } = tally;
  return {
    passed: passed + failed,
    failed: 0,
    failures: [],
    skipped,
    unsteady: [...unsteady, ...failures, ...second.unsteady],
  };
}

function twiceFirst(first: readonly string[], second: readonly string[]): readonly string[] {
  const title = (failure: string): string => failure.split(' (')[0] as string;
  const again = new Set(second.map(title));
  const once = first.filter((failure) => !again.has(title(failure)));
  return [...second, ...once.map((failure) => `passed alone: ${failure}`)];
}

/** A step that ends badly has failed at least once, whatever it counted before it fell over. */
function combine(name: string, succeeded: boolean, counted: Tally | undefined): Tally {
  if (succeeded) return counted ?? { ...nothing, passed: 1 };
  const { passed, failed, failures, skipped } = counted ?? { ...nothing, failed: 1 };
  return {
    passed,
    failed: Math.max(failed, 1),
    failures: failures.length === 0 ? [`${name} (see its output)`] : failures,
    skipped,
    unsteady: [],
  };
}

// A step that hangs (a test that left a socket open) must not hang the build.
const limitMs = 40 * 60_000;
const running = new Set<ChildProcess>();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    for (const child of running) child.kill(signal);
    process.exit(1);
  });
}

async function run(step: Step): Promise<{ code: number; output: string }> {
  const bin = path.join(root, 'node_modules', '.bin');
  const env = {
    ...process.env,
    PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}`,
    FORCE_COLOR: '0',
  };
  const child = spawn(step.command, step.args, {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limitMs,
  });
  running.add(child);
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    const stopped =
      code === null ? `\nstopped by a signal (a step may take ${limitMs / 60_000} minutes)` : '';
    return { code: code ?? 1, output: Buffer.concat(chunks).toString() + stopped };
  } catch (error) {
    return { code: 1, output: `cannot start ${step.command}: ${String(error)}` };
  } finally {
    running.delete(child);
  }
}
