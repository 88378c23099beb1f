import { HeddleError, type Runtime } from '@heddle/kernel';
import type { Progress } from '../terminal/progress.ts';
import { type Group, startGroup, stopGroup } from './group.ts';
import type { Processes, Program } from './program.ts';
import { Supervised } from './supervised.ts';

/** Everything that one `up` runs: groups of programs, started one after the other and stopped in reverse. */
export class System {
  readonly #processes: Processes;
  readonly #runtime: Runtime;
  readonly #progress: Progress;
  readonly #started: Group[] = [];
  #stopping = false;

  constructor(processes: Processes, runtime: Runtime, progress: Progress) {
    this.#processes = processes;
    this.#runtime = runtime;
    this.#progress = progress;
  }

  /** Process ids of what runs now, by program. */
  get pids(): Readonly<Record<string, number>> {
    const all = this.#started.flatMap(({ members }) => members);
    return Object.fromEntries(
      all.flatMap(({ program, pid }) => (pid === undefined ? [] : [[program.name, pid] as const])),
    );
  }

  /** Starts programs as one step. Gives what each has said about itself. */
  async start(
    title: string,
    programs: readonly Program[],
    detail: (said: Readonly<Record<string, string>>) => string = () => '',
  ): Promise<Readonly<Record<string, string>>> {
    if (this.#stopping) throw stopped();
    const note = (text: string): void => this.#progress.note(text);
    const members = programs.map((program) => new Supervised(program, this.#processes, this.#runtime, note));
    // As many at a time as can make headway together: more would only make each of them late.
    const group = { title, members, atOnce: 4 };
    this.#started.push(group);
    const [first = {}] = await this.#progress.step(
      title,
      () => startGroup(group),
      (said) => detail(said[0] ?? {}),
    );
    if (this.#stopping) throw stopped();
    return first;
  }

  /** Takes all down in reverse order, each group drained before the next. Gives how many programs had to be killed. */
  async stop(): Promise<number> {
    this.#stopping = true;
    let killed = 0;
    for (const group of this.#started.toReversed()) {
      killed += await this.#progress.step(
        `stop ${group.title}`,
        () => stopGroup(group),
        (count) => (count === 0 ? '' : `${count} did not drain in time and were killed`),
      );
    }
    return killed;
  }

  /** Ends everything at once. */
  kill(): void {
    this.#stopping = true;
    for (const { members } of this.#started) for (const member of members) member.kill();
  }
}

/** The start was cut short by a stop. */
export function stopped(): HeddleError {
  return new HeddleError({ code: 'cancelled', reason: 'STOPPED', message: 'stopped while starting' });
}
