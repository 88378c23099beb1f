import { type ChildProcess, spawn } from 'node:child_process';
import { HeddleError } from '@heddle/kernel';
import type { ScriptEnd, ScriptRunner } from '../probe/script-probe.ts';

const longestOutput = 4096;

/**
 * Runs a program in a process group of its own, without a shell and without input, and with the environment of this
 * process, in which `HEDDLE_CHECK_HOST` and `HEDDLE_CHECK_PORT` name the instance. A cancelled call kills the group,
 * so that what the program has started goes with it. Rejects with `not_found` / `SCRIPT_NOT_STARTED`.
 */
export const scriptRunner: ScriptRunner = ([program = '', ...args], { host, port }, call) => {
  call.throwIfCancelled();
  return new Promise<ScriptEnd>((resolve, reject) => {
    const env = { ...process.env, HEDDLE_CHECK_HOST: host, HEDDLE_CHECK_PORT: String(port) };
    const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env });
    const output: string[] = [];
    let length = 0;
    const collect = (chunk: Buffer): void => {
      if (length < longestOutput) output.push(chunk.toString().slice(0, longestOutput - length));
      length += chunk.length;
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const stopListening = call.onCancel((error) => {
      killGroup(child);
      reject(error);
    });
    child.on('error', (cause) => {
      stopListening();
      const message = `the check ${JSON.stringify(program)} cannot be started: ${cause.message}`;
      reject(new HeddleError({ code: 'not_found', reason: 'SCRIPT_NOT_STARTED', message, cause }));
    });
    // What it has left behind goes with it, and would hold its output open.
    child.on('exit', () => killGroup(child));
    child.on('close', (code) => {
      stopListening();
      resolve({ code: code ?? undefined, output: output.join('') });
    });
  });
};

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}
