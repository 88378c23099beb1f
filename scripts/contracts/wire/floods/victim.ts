// The process of the server, from outside.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Command, Report } from './server.ts';

const program = path.join(import.meta.dirname, 'server.ts');
const limitMs = 10_000;

/** A server in a process of its own. */
export class Victim {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts it. */
  static async start(): Promise<Victim> {
    const child = fork(program, { execArgv: ['--conditions=@heddle/source', '--expose-gc'] });
    const [{ port }] = (await once(child, 'message', { signal: AbortSignal.timeout(limitMs) })) as [Report];
    return new Victim(child, port);
  }

  /** False once it has fallen. */
  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Tells it something, and has it say what it holds. Rejects if it does not answer in time. */
  async tell(command: Command = {}): Promise<Report> {
    const answered = once(this.#child, 'message', { signal: AbortSignal.timeout(limitMs) });
    this.#child.send(command);
    const [report] = (await answered) as [Report];
    return report;
  }

  async stop(): Promise<void> {
    if (!this.alive) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}
