import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

/** For tests: the real command as a process, and what it has printed. */
export class StartedCli {
  readonly child: ChildProcess;
  /** Exit code; null if a signal ended it. */
  readonly exited: Promise<number | null>;
  #output = '';
  #listeners = new Set<() => void>();

  /** `within`: a command that runs it, such as `ip netns exec NAME`. */
  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    within: readonly string[] = [],
  ) {
    const command: readonly string[] = [...within, process.execPath];
    const [program = process.execPath, ...before] = command;
    this.child = spawn(program, [...before, '--conditions=@heddle/source', main, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const take = (chunk: Buffer): void => {
      this.#output += chunk.toString();
      for (const listener of this.#listeners) listener();
    };
    this.child.stdout?.on('data', take);
    this.child.stderr?.on('data', take);
    this.exited = new Promise((resolve) => this.child.once('close', (code) => resolve(code)));
  }

  /** Everything it has printed so far. */
  get output(): string {
    return this.#output;
  }

  /** Resolves with the match when the output has it. Rejects if the process ends first. */
  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.#output);
        if (match === null) return;
        this.#listeners.delete(look);
        resolve(match);
      };
      this.#listeners.add(look);
      void this.exited.then(() => reject(new Error(`ended without printing ${pattern}:\n${this.#output}`)));
      look();
    });
  }
}
