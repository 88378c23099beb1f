// Runs a program to its end, in bounded time.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** How a program ended. `code` is -1 when it could not be started or ran out of time. */
export interface Ended {
  readonly code: number;
  readonly output: string;
}

/** What `run` may be told. */
export interface RunOptions {
  /** Default 30 s. */
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program; `output` is stdout and stderr as they came. Never rejects. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { timeoutMs = 30_000, cwd, env } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      ...(cwd !== undefined && { cwd }),
      env: { ...process.env, ...env },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    child.on('error', (error) => resolve({ code: -1, output: error.message }));
    child.on('close', (code) =>
      resolve({
        code: code ?? -1,
        output: code === null ? `${output}\nstopped after ${timeoutMs} ms` : output,
      }),
    );
  });
}

/** The last lines of an output, for a sentence that says why. */
export function lastWords(output: string): string {
  return output.trim().split('\n').slice(-3).join(' / ').slice(0, 400);
}

/** Looks for a program on the PATH, then in `folders`. */
export function which(name: string, folders: readonly string[] = []): string | undefined {
  const all = [...(process.env['PATH'] ?? '').split(path.delimiter), ...folders];
  return all.map((folder) => path.join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
