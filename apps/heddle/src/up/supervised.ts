import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import { readableLine } from './log-line.ts';
import { type Child, describeEnd, type Processes, type Program } from './program.ts';
import { died, noFailures } from './restart-delay.ts';

/** Told about what happens to a program after its first start. Must not throw. */
export type Note = (text: string) => void;

/**
 * One program, kept running: once it has been ready for the first time, it is started again whenever it dies, with
 * growing pauses, until `stop`.
 */
export class Supervised {
  readonly program: Program;
  readonly #processes: Processes;
  readonly #runtime: Runtime;
  readonly #note: Note;
  #child: Child | undefined;
  #failures = noFailures;
  #stopping = false;
  #pause: Timer | undefined;

  constructor(program: Program, processes: Processes, runtime: Runtime, note: Note) {
    this.program = program;
    this.#processes = processes;
    this.#runtime = runtime;
    this.#note = note;
  }

  /** The process that runs now. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Starts it. Resolves with what it said when it became ready. Rejects if it ends before or takes too long, with the
   * last lines that it wrote; nothing is left running then.
   */
  async start(): Promise<Readonly<Record<string, string>>> {
    const { name, readyMs } = this.program;
    const startMs = this.#runtime.clock.nowMs();
    const child = this.#processes.start(this.program);
    this.#child = child;
    const late = this.#after(readyMs);
    const first = await Promise.race([
      child.ready.then((said) => ({ said })),
      child.ended.then((ended) => ({ ended })),
      late.passed.then(() => ({ late: true })),
    ]);
    late.cancel();
    if ('said' in first) {
      void child.ended.then(() => this.#onEnd(child, startMs));
      return first.said;
    }
    if ('late' in first) {
      child.signal('SIGKILL');
      await child.ended;
      throw failed(name, `was not ready within ${readyMs / 1000} s`, child.lastLines);
    }
    throw failed(name, `${describeEnd(first.ended)} before it was ready`, child.lastLines);
  }

  /** Asks it to drain, and kills it when it takes longer than its `stopMs`. Resolves when it has gone. */
  async stop(): Promise<'drained' | 'killed'> {
    this.#stopping = true;
    this.#pause?.cancel();
    const child = this.#child;
    if (child === undefined) return 'drained';
    child.signal('SIGTERM');
    const late = this.#after(this.program.stopMs);
    const first = await Promise.race([child.ended, late.passed]);
    late.cancel();
    if (first !== undefined) return 'drained';
    this.kill();
    await child.ended;
    return 'killed';
  }

  /** Ends it at once, and for good. */
  kill(): void {
    this.#stopping = true;
    this.#pause?.cancel();
    this.#child?.signal('SIGKILL');
  }

  async #onEnd(child: Child, startMs: number): Promise<void> {
    if (this.#stopping || this.#child !== child) return;
    const ended = await child.ended;
    const { failures, delayMs } = died(this.#failures, this.#runtime.clock.nowMs() - startMs);
    this.#failures = failures;
    this.#note(`${this.program.name} ${describeEnd(ended)}; starting it again in ${delayMs / 1000} s`);
    this.#pause = this.#runtime.timers.after(delayMs, () => void this.#restart());
  }

  async #restart(): Promise<void> {
    const startMs = this.#runtime.clock.nowMs();
    try {
      await this.start();
      this.#note(
        `${this.program.name} is back after ${((this.#runtime.clock.nowMs() - startMs) / 1000).toFixed(1)} s`,
      );
    } catch (thrown) {
      if (this.#stopping) return;
      const { failures, delayMs } = died(this.#failures, 0);
      this.#failures = failures;
      const [first = ''] = HeddleError.from(thrown).message.split('\n');
      this.#note(`${first}; trying again in ${delayMs / 1000} s`);
      this.#pause = this.#runtime.timers.after(delayMs, () => void this.#restart());
    }
  }

  #after(delayMs: number): { passed: Promise<undefined>; cancel: () => void } {
    let timer: Timer | undefined;
    const passed = new Promise<undefined>((resolve) => {
      timer = this.#runtime.timers.after(delayMs, () => resolve(undefined));
    });
    return { passed, cancel: () => timer?.cancel() };
  }
}

function failed(name: string, what: string, lastLines: readonly string[]): HeddleError {
  const said =
    lastLines.length === 0
      ? ''
      : `. The last it wrote:\n${lastLines.map((line) => `    ${readableLine(line)}`).join('\n')}`;
  const message = `${name} ${what}${said}`;
  return new HeddleError({ code: 'failed_precondition', reason: 'PROGRAM_FAILED', message });
}
