import { spawn } from 'node:child_process';
import { HeddleError } from '@heddle/kernel';

/** One run of git in a repository. */
export interface GitRun {
  readonly folder: string;
  readonly args: readonly string[];
  readonly input?: string;
}

// What git asks for by itself would wait for ever, and what a repository configures must not run programs here.
const fixed = { GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' } as const;
const harmless = [
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'protocol.ext.allow=never',
];
const longestOutput = 64 * 1024 * 1024;
const limitMs = 30_000;

/**
 * What git says. Rejects with `failed_precondition` / `GIT_MISSING` where it is not installed, `deadline_exceeded` /
 * `GIT_TIMEOUT` after 30 s, and `failed_precondition` / `GIT_REFUSED` with what it says when it fails.
 */
export async function git(run: GitRun): Promise<string> {
  return (await gitBytes(run)).toString();
}

/** As `git`, in bytes. */
export function gitBytes({ folder, args, input = '' }: GitRun): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...fixed };
    const child = spawn('git', [...harmless, ...args], { cwd: folder, env, stdio: 'pipe', timeout: limitMs });
    const [output, errors]: [Buffer[], Buffer[]] = [[], []];
    let length = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= longestOutput) output.push(chunk);
      else child.kill();
    });
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.on('error', (cause) => reject(notStarted(folder, cause)));
    // It may have ended before it has read all.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(output));
      else reject(signal === null ? refused(args, Buffer.concat(errors).toString()) : tooLong(args));
    });
  });
}

function notStarted(folder: string, cause: Error): HeddleError {
  const message = `git cannot be run in "${folder}": ${cause.message}; it must be installed, and the folder a repository`;
  return new HeddleError({ code: 'failed_precondition', reason: 'GIT_MISSING', message, cause, sent: false });
}

function refused([verb = '']: readonly string[], said: string): HeddleError {
  const message = `git ${verb}: ${said.trim().slice(0, 500)}`;
  return new HeddleError({ code: 'failed_precondition', reason: 'GIT_REFUSED', message });
}

function tooLong([verb = '']: readonly string[]): HeddleError {
  const message = `git ${verb} took longer than ${limitMs} ms, or said more than ${longestOutput} bytes`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'GIT_TIMEOUT', message });
}
