import { type ChildProcess, spawn } from 'node:child_process';
import { HeddleError, type Runtime, sleep } from '@heddle/kernel';
import { serverEnv } from './initdb.ts';
import { isAlive, ownerSetting, readPostmasterFile, runningPostmaster } from './postmaster-file.ts';
import type { ServerFolder } from './server-folder.ts';
import { guardServer } from './server-guard.ts';

const pollMs = 20;
const loopback = '127.0.0.1';

/** How to run one server process. */
export interface LaunchOptions {
  readonly runtime: Runtime;
  readonly place: ServerFolder;
  readonly port: number;
  readonly maxConnections: number;
  readonly maxPreparedTransactions: number;
  /** Recovery after a crash may take a while. */
  readonly startMs: number;
}

/** A running server process, which is ours. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** Resolves when the process is gone, with how it went and its last words. */
  readonly exited: Promise<string>;
  /** Fast shutdown; after `graceMs` without transactions being finished properly; after 1 s more, by force. */
  stop(graceMs: number): Promise<void>;
}

/** Starts the server; resolves when it accepts connections. Rejects with `failed_precondition` where it cannot. */
export async function launch(options: LaunchOptions): Promise<Postmaster> {
  const { runtime, place, port, startMs } = options;
  await clearTheWay(runtime, place.data);
  const child = spawn(place.programs.postgres, serverArguments(options), {
    ...place.account,
    cwd: place.data,
    env: serverEnv(),
    stdio: ['ignore', 'ignore', 'pipe'],
    // Its own group: Ctrl-C in a terminal is for us, who then stop it in order.
    detached: true,
  });
  const ended = endOf(child);
  if (child.pid !== undefined) {
    const guard = guardServer(child.pid, place.account);
    void ended.then(() => guard.callOff());
  }
  const until = runtime.clock.nowMs() + startMs;
  let gone: string | undefined;
  void ended.then((how) => {
    gone = how;
  });
  while (gone === undefined) {
    const file = await readPostmasterFile(place.data);
    if (child.pid !== undefined && file?.pid === child.pid && file.ready) {
      const { pid } = child;
      return { pid, port, exited: ended, stop: (graceMs) => stopInOrder(runtime, child, ended, graceMs) };
    }
    if (runtime.clock.nowMs() > until) {
      await stopInOrder(runtime, child, ended, 0);
      gone = `it was not ready within ${startMs} ms`;
      break;
    }
    await Promise.race([ended, sleep(runtime.timers, pollMs)]);
  }
  throw launchError(gone, options);
}

function serverArguments({ place, port, maxConnections, maxPreparedTransactions }: LaunchOptions): string[] {
  const settings = {
    listen_addresses: loopback,
    port,
    unix_socket_directories: '',
    max_connections: maxConnections,
    max_prepared_transactions: maxPreparedTransactions,
    wal_level: 'logical',
    password_encryption: 'scram-sha-256',
    // What the server says is quoted in our errors: no statement with somebody's data or a password in it.
    log_min_error_statement: 'panic',
    [ownerSetting]: process.pid,
  };
  return [
    '-D',
    place.data,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

/** One server per folder: an orphan of a starter that was killed is stopped first, somebody else's is refused. */
async function clearTheWay(runtime: Runtime, data: string): Promise<void> {
  const running = await runningPostmaster(data);
  if (running === undefined) return;
  if (running.ownerPid !== undefined)
    throw inUse(data, `process ${running.ownerPid} runs it as process ${running.pid}`);
  runtime.log('warn', 'stopping a database server that was left behind', { pid: running.pid, data });
  const orders: readonly (readonly [NodeJS.Signals, number])[] = [
    ['SIGINT', 8000],
    ['SIGQUIT', 2000],
    ['SIGKILL', 1000],
  ];
  for (const [signal, waitMs] of orders) {
    process.kill(running.pid, signal);
    if (await goneWithin(runtime, running.pid, waitMs)) return;
  }
  throw inUse(data, `process ${running.pid} does not stop`);
}

async function goneWithin(runtime: Runtime, pid: number, waitMs: number): Promise<boolean> {
  const until = runtime.clock.nowMs() + waitMs;
  while (isAlive(pid)) {
    if (runtime.clock.nowMs() > until) return false;
    await sleep(runtime.timers, pollMs);
  }
  return true;
}

function endOf(child: ChildProcess): Promise<string> {
  let words = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-4000);
  });
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    // Not `close`: backends that outlive a killed server hold the pipe open.
    child.on('exit', (code, signal) =>
      resolve(`it ended with ${signal ?? `code ${code}`}, saying: ${words.trim()}`),
    );
  });
}

async function stopInOrder(
  runtime: Runtime,
  child: ChildProcess,
  ended: Promise<string>,
  graceMs: number,
): Promise<void> {
  // PostgreSQL manual, "Shutting Down the Server": SIGINT rolls back and stops, SIGQUIT leaves the rest to recovery.
  child.kill('SIGINT');
  const timers = [
    runtime.timers.after(graceMs, () => child.kill('SIGQUIT')),
    runtime.timers.after(graceMs + 1000, () => child.kill('SIGKILL')),
  ];
  await ended;
  for (const timer of timers) timer.cancel();
}

function launchError(how: string, { place, port }: LaunchOptions): HeddleError {
  if (/lock file "postmaster.pid" already exists/.test(how))
    return inUse(place.data, 'another process has just started it');
  const known = reasons.find(([pattern]) => pattern.test(how));
  const reason = known?.[1] ?? 'POSTGRES_DID_NOT_START';
  const message = `PostgreSQL did not start on port ${port} with the data in ${place.data}: ${how}`;
  return new HeddleError({ code: 'failed_precondition', reason, message, sent: false });
}

const reasons: readonly (readonly [RegExp, string])[] = [
  [/could not create any TCP\/IP sockets|could not bind/, 'PORT_IN_USE'],
  [/pre-existing shared memory block/, 'STILL_STOPPING'],
  [/incompatible with server|initialized by PostgreSQL version/, 'DATA_OF_OTHER_VERSION'],
  [/No space left on device/, 'DISK_FULL'],
];

function inUse(data: string, who: string): HeddleError {
  const message = `the database in ${data} is served already (${who}); use that one, stop it, or name another folder`;
  return new HeddleError({ code: 'failed_precondition', reason: 'DATABASE_IN_USE', message, sent: false });
}
