// Starts servers, knows when they are ready, stops them by process id, and remembers them in case we are killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cached } from './cache.ts';
import { which } from './command.ts';
import type { Place, Running } from './engine.ts';

/** How to start a server. */
export interface Start {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly address: Place;
  /** Removed when the server has stopped. */
  readonly folder?: string;
  readonly core?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: it accepts a connection. Asked again and again until true. */
  readonly ready?: (running: Running) => boolean | Promise<boolean>;
  /** Default 60 s: a machine may be busy with others. */
  readonly timeoutMs?: number;
}

const keptOutput = 64 * 1024;
const ledger = cached('running');
const children = new Set<ChildProcess>();

// Whatever ends us, nothing that we started is left behind.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Has the child end with us. */
export function endWithUs(child: ChildProcess): void {
  children.add(child);
  child.once('exit', () => children.delete(child));
}

// More at a time than there are cores would only keep each other from being ready in time.
const javaStarts = 2;
let starting = 0;
const waitingToStart: (() => void)[] = [];

/** Starts a server and waits until it is ready. Rejects with its last words when it ends or takes too long. */
export async function startServer(start: Start): Promise<Running> {
  if (start.command !== 'java') return startNow(start);
  if (starting >= javaStarts) await new Promise<void>((resolve) => waitingToStart.push(resolve));
  else starting += 1;
  try {
    return await startNow(start);
  } finally {
    const next = waitingToStart.shift();
    if (next === undefined) starting -= 1;
    else next();
  }
}

async function startNow(start: Start): Promise<Running> {
  const [command, args] = pinned(start.command, start.args, start.core);
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...start.env },
  });
  endWithUs(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-keptOutput);
    });
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  await Promise.race([once(child, 'spawn'), once(child, 'error')]);
  if (child.pid === undefined) throw new Error(`${start.name}: cannot start ${start.command}`);
  const note = remember(child.pid, start);
  const running: Running = {
    address: start.address,
    pid: child.pid,
    stop: async () => {
      await stopChild(child);
      rmSync(note, { force: true });
      if (start.folder !== undefined) rmSync(start.folder, { recursive: true, force: true });
    },
    output: () => output,
  };
  try {
    await untilReady(start, running, () => ended);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return running;
}

/** The command on one core, where the machine can do that. */
export function pinned(
  command: string,
  args: readonly string[],
  core: number | undefined,
): [command: string, args: readonly string[]] {
  if (core === undefined || which('taskset') === undefined) return [command, args];
  return ['taskset', ['--cpu-list', String(core), command, ...args]];
}

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** As many ports, all different, that nobody listens on at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** A place on loopback that is free at this moment. */
export async function freePlace(): Promise<Place> {
  return { host: '127.0.0.1', port: await freePort() };
}

async function untilReady(start: Start, running: Running, ended: () => boolean): Promise<void> {
  const ready = start.ready ?? (() => accepts(start.address));
  const giveUpAt = performance.now() + (start.timeoutMs ?? 60_000);
  while (!(await ready(running))) {
    const late = performance.now() > giveUpAt;
    if (ended() || late)
      throw new Error(
        `${start.name} ${late ? 'is not ready in time' : 'ended at once'}:\n${running.output()}`,
      );
    await delay(10);
  }
}

function accepts(address: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address.port, address.host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Asks, then insists. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), 2000);
  await gone;
  clearTimeout(insist);
}

function remember(pid: number, start: Start): string {
  mkdirSync(ledger, { recursive: true });
  const note = path.join(ledger, String(pid));
  const entry: Note = {
    name: start.name,
    parent: process.pid,
    started: startTime(pid),
    folder: start.folder ?? '',
  };
  writeFileSync(note, JSON.stringify(entry));
  return note;
}

interface Note {
  readonly name: string;
  readonly parent: number;
  /** In clock ticks since boot, so that a reused process id is told apart. */
  readonly started: string;
  readonly folder: string;
}

/** Stops servers whose starter is gone and removes their data; returns their names. For `main.ts cleanup`. */
export function stopForgotten(): string[] {
  const stopped: string[] = [];
  if (!existsSync(ledger)) return stopped;
  for (const name of readdirSync(ledger)) {
    const file = path.join(ledger, name);
    const note = JSON.parse(readFileSync(file, 'utf8')) as Note;
    if (isRunning(note.parent)) continue;
    const pid = Number(name);
    if (isRunning(pid) && startTime(pid) === note.started) {
      process.kill(pid, 'SIGKILL');
      stopped.push(`${note.name} (${pid})`);
    }
    if (note.folder !== '') rmSync(note.folder, { recursive: true, force: true });
    rmSync(file);
  }
  return stopped;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')')).split(' ')[20] ?? '';
  } catch {
    return '';
  }
}
