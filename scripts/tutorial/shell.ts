// A terminal: one bash, into which commands are typed, and which is read until it has done them.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** One terminal of the tutorial's reader. */
export class TutorialShell {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = '';
  #changed: () => void = () => {};

  constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#child = spawn('bash', [], { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.#ended = once(this.#child, 'close');
    // It may be gone by the time that it is told to go.
    this.#child.stdin?.on('error', () => {});
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
        this.#changed();
      });
  }

  /** Types commands and waits until they are done. Gives what they print; rejects if a line fails. */
  async type(commands: string, limitMs: number): Promise<string> {
    const from = this.#output.length;
    // By each line, and not by `set -e`, which lets `a && b` go on when a fails.
    const checked = commands.split('\n').map((line) => `${line}\n[ $? = 0 ] || exit 1\n`);
    this.#child.stdin?.write(`${checked.join('')}echo "__done__"\n`);
    await this.#until(() => this.#output.includes('__done__', from), limitMs, commands);
    return this.#output.slice(from);
  }

  /** Types a command that goes on, and waits until it has printed something. */
  async typeAndLeave(command: string, expected: RegExp, limitMs: number): Promise<void> {
    const from = this.#output.length;
    this.#child.stdin?.write(`${command}\n`);
    await this.#until(() => expected.test(this.#output.slice(from)), limitMs, command);
  }

  /** Ctrl-C to what runs, then the end of the terminal. */
  async close(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined || this.#child.exitCode !== null) return;
    process.kill(-pid, 'SIGINT');
    this.#child.stdin?.end('exit\n');
    const limit = setTimeout(() => process.kill(-pid, 'SIGKILL'), 60_000);
    await this.#ended;
    clearTimeout(limit);
  }

  async #until(done: () => boolean, limitMs: number, what: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`${why}: ${what}\n${this.#output.slice(-4000)}`));
      const limit = setTimeout(() => fail(`not done within ${limitMs / 1000} s`), limitMs);
      const look = (): void => {
        if (!done()) return;
        clearTimeout(limit);
        resolve();
      };
      this.#changed = look;
      void this.#ended.then(() => fail('the shell ended, since a command failed'));
      look();
    });
  }
}
