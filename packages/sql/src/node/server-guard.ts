import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Account } from './account.ts';

/**
 * Sees to it that the server `pid` does not outlive this process, even if that is killed: a shell waits at a pipe that
 * closes with us, then asks the server to stop (fast shutdown). It runs as the server's account, so that it can signal
 * nobody else's process. To be called off once the server has gone. Does nothing on Windows, or without /bin/sh: the
 * next start on the folder stops what was left behind.
 */
export function guardServer(pid: number, account: Account | undefined): { callOff(): void } {
  if (process.platform === 'win32') return { callOff: () => {} };
  const script = ['-c', 'read -r _; kill -s INT "$1"', 'postgres-guard', String(pid)];
  const guard = spawn('/bin/sh', script, {
    ...account,
    cwd: '/',
    env: {},
    stdio: ['pipe', 'ignore', 'ignore'],
    // Its own group: what ends all of ours must not end the one who comes after.
    detached: true,
  });
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  // Neither keeps this process running.
  guard.unref();
  if (guard.stdin instanceof Socket) guard.stdin.unref();
  return { callOff: () => void guard.kill('SIGKILL') };
}
