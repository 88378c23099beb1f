import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Child, Ended, Processes, Program } from '../up/program.ts';
import { ownFile } from './places.ts';
import { RotatingFile } from './rotating-file.ts';

const keptLines = 15;
const preload: string = pathToFileURL(ownFile('follow-parent.ts', import.meta.url)).href;

/**
 * Real processes of this Node, with their output in `<logFolder>/<name>.log`. Each leads a process group of its own,
 * so that Ctrl-C reaches only the supervisor, which stops them in order; each ends when this process does.
 */
export function nodeProcesses(logFolder: string): Processes {
  mkdirSync(logFolder, { recursive: true, mode: 0o700 });
  return { start: (program) => start(program, path.join(logFolder, `${program.name}.log`)) };
}

function start(program: Program, logFile: string): Child {
  const child = spawn(
    process.execPath,
    [...process.execArgv, `--import=${preload}`, program.file, ...program.args],
    {
      detached: true,
      env: { ...process.env, ...program.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  const tail = new Tail(logFile);
  child.stdout?.on('data', (chunk: Uint8Array) => tail.write(chunk));
  child.stderr?.on('data', (chunk: Uint8Array) => tail.write(chunk));
  const ended = new Promise<Ended>((resolve) => {
    // `close` comes after the last output, `error` alone where nothing could be started.
    child.once('close', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) => {
      tail.write(Buffer.from(`${error.message}\n`));
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
  void ended.then(() => tail.close());
  return {
    pid: child.pid,
    ready: readyOf(child),
    ended,
    get lastLines() {
      return tail.lines;
    },
    signal: (name) => {
      child.kill(name);
    },
  };
}

function readyOf(child: ChildProcess): Promise<Readonly<Record<string, string>>> {
  return new Promise((resolve) => {
    child.on('message', (message: unknown) => {
      if (typeof message !== 'object' || message === null || !('ready' in message)) return;
      resolve(message.ready as Record<string, string>);
    });
  });
}

/** The log file, and the end of it in memory. */
class Tail {
  readonly #file: RotatingFile;
  readonly #decoder = new TextDecoder();
  #lines: string[] = [''];

  constructor(path: string) {
    this.#file = new RotatingFile(path);
  }

  get lines(): readonly string[] {
    return this.#lines.filter((line) => line !== '').slice(-keptLines);
  }

  write(chunk: Uint8Array): void {
    this.#file.write(chunk);
    const pieces = this.#decoder.decode(chunk, { stream: true }).split('\n');
    const open = this.#lines.pop() ?? '';
    // A line that never ends must not grow in memory for ever.
    this.#lines.push(`${open}${pieces[0] ?? ''}`.slice(-2000), ...pieces.slice(1));
    this.#lines = this.#lines.slice(-keptLines - 1);
  }

  close(): void {
    this.#file.close();
  }
}
