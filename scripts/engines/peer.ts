// Programs of this repository that play a peer, in whatever language. They print `ready <port>` (0 for a client), answer
// each line on their standard input by one line, and end when it ends: so they never outlive whoever started them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Pinned, Running } from './engine.ts';
import { endWithUs, pinned, stopChild } from './running.ts';

/** A peer that is ready. */
export interface Peer extends Running {
  /** Says one line and waits for one line. Rejects when the peer ends instead, or after a minute. */
  ask(line: string): Promise<string>;
}

/** How to start a peer. */
export interface PeerStart extends Pinned {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const patienceMs = 60_000;
const keptOutput = 64 * 1024;

/** Starts a peer; rejects with its last words when it ends before it is ready. */
export async function startPeer(start: PeerStart): Promise<Peer> {
  const [command, args] = pinned(start.command, start.args, start.core);
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...start.env },
  });
  endWithUs(child);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-keptOutput);
  });
  // Writing to a peer that has just ended is reported by the line that does not come.
  child.stdin.on('error', () => {});
  child.on('error', (error) => {
    errors += error.message;
  });
  const lines = createInterface({ input: child.stdout });
  const next = async (): Promise<string> => {
    const controller = new AbortController();
    const { signal } = controller;
    const timer = setTimeout(() => controller.abort(), patienceMs);
    try {
      const ended = once(lines, 'close', { signal }).then(() => undefined);
      const line = await Promise.race([
        once(lines, 'line', { signal }).then(([text]) => String(text)),
        ended,
      ]);
      if (line === undefined) throw new Error(`${start.name} has ended:\n${errors}`);
      return line;
    } finally {
      clearTimeout(timer);
      controller.abort();
    }
  };
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await stopChild(child);
  };
  const first = await next().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const port = Number(/^ready (\d+)$/.exec(first)?.[1]);
  if (Number.isNaN(port) || child.pid === undefined) {
    await stop();
    throw new Error(`${start.name} should have printed “ready <port>”, but printed “${first}”`);
  }
  return {
    address: { host: '127.0.0.1', port },
    pid: child.pid,
    stop,
    output: () => errors,
    ask: (line) => {
      const answer = next();
      child.stdin.write(`${line}\n`);
      return answer;
    },
  };
}
