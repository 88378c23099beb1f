import { type Address, HeddleError, type Runtime, type Timer, type TlsConnectOptions } from '@heddle/kernel';
import type { JuteReader } from '../jute/jute-reader.ts';
import {
  type Change,
  changeRequest,
  multiRequest,
  type Notification,
  opcodes,
  readMultiErrors,
  readRequest,
  readStat,
  type Session,
  type Stat,
} from '../jute/requests.ts';
import { zooKeeperError } from '../jute/zookeeper-error.ts';
import { type Credentials, ZooKeeperConnection } from './connection.ts';

/** Where the servers are, and who we are. */
export interface ZooKeeperServers {
  /** Of one ensemble, at least one; the first that answers is used. */
  readonly addresses: readonly Address[];
  readonly tls: TlsConnectOptions | undefined;
  readonly credentials: Credentials | undefined;
}

/** What a client works with. */
export interface ZooKeeperClientOptions {
  readonly runtime: Runtime;
  readonly servers: ZooKeeperServers;
  /** Asked for; a server has limits of its own. */
  readonly sessionMs: number;
  /** Deadline of each request. */
  readonly timeoutMs: number;
  /** A session has begun. Those before it are over. */
  readonly onSession?: (session: Session) => void;
  /** The servers have lost what they had: whatever they say now is newer, though its numbers are smaller. */
  readonly onNewHistory?: () => void;
}

/** Hears of what happens at its paths, and of the end of the connection, with which all its watches are gone. */
export interface PathListener {
  notified(notification: Notification): void;
  lost(error: HeddleError): void;
}

const firstBackoffMs = 100;
const longestBackoffMs = 2000;

/**
 * A session with an ensemble, kept for as long as anybody uses it: a lost connection is replaced by one to the next
 * server, an expired session by a new one. Connects when it is first used.
 *
 * A server that is behind what was seen already turns us away, so time does not go back. If all do, twice and for
 * longer than a session lives, they have been wiped or restored: then we begin anew with what they have.
 */
export class ZooKeeperClient {
  readonly #options: ZooKeeperClientOptions;
  readonly #listeners = new Map<string, Set<PathListener>>();
  #waiting: { resolve(connection: ZooKeeperConnection): void; reject(error: HeddleError): void }[] = [];
  #connection: ZooKeeperConnection | undefined;
  #session: Session | undefined;
  #lastZxid = 0n;
  /** What was seen before we began anew; if the servers are behind it, theirs is another history. */
  #doubted: bigint | undefined;
  #refusals = 0;
  #refusedSinceMs = 0;
  #failures = 0;
  #at = 0;
  #retry: Timer | undefined;
  #connecting = false;
  #closed = false;

  constructor(options: ZooKeeperClientOptions) {
    if (options.servers.addresses.length === 0) throw noAddress();
    this.#options = options;
  }

  /** An open connection; waits for one until each server was tried once, and then rejects with why there is none. */
  connected(): Promise<ZooKeeperConnection> {
    if (this.#connection?.isOpen === true) return Promise.resolve(this.#connection);
    if (this.#closed) return Promise.reject(clientClosed());
    return this.#within(
      'connecting',
      new Promise((resolve, reject) => {
        this.#waiting.push({ resolve, reject });
        if (this.#connecting) return;
        this.#retry?.cancel();
        void this.#connect();
      }),
    );
  }

  /** A node's data. With `on`, the connection that is asked, its next change is told. */
  async data(path: string, on?: ZooKeeperConnection): Promise<{ bytes: Uint8Array; stat: Stat }> {
    const body = await this.#ask(
      `getData ${path}`,
      (xid) => readRequest(xid, opcodes.getData, path, on !== undefined),
      on,
    );
    return { bytes: body.buffer(), stat: readStat(body) };
  }

  /** Names of a node's children. With `on`, as `data`. */
  async children(path: string, on?: ZooKeeperConnection): Promise<string[]> {
    const make = (xid: number): Uint8Array => readRequest(xid, opcodes.getChildren, path, on !== undefined);
    return (await this.#ask(`getChildren ${path}`, make, on)).texts();
  }

  /** A node's stat; undefined if there is no such node. With `on`, as `data`: also of its creation. */
  async stat(path: string, on?: ZooKeeperConnection): Promise<Stat | undefined> {
    const make = (xid: number): Uint8Array => readRequest(xid, opcodes.exists, path, on !== undefined);
    try {
      return readStat(await this.#ask(`exists ${path}`, make, on));
    } catch (thrown) {
      if (HeddleError.from(thrown).reason === 'NO_NODE') return undefined;
      throw thrown;
    }
  }

  async change(change: Change): Promise<void> {
    await this.#ask(`${change.kind} ${change.path}`, (xid) => changeRequest(xid, change));
  }

  /** All changes or none; rejects with the first that was refused. */
  async changeAll(changes: readonly Change[]): Promise<void> {
    const body = await this.#ask('multi', (xid) => multiRequest(xid, changes));
    for (const [at, number] of readMultiErrors(body).entries()) {
      // Parts after the one that failed say that they were not tried.
      if (number !== undefined && number !== 0 && number !== notTried)
        throw zooKeeperError(number, `${changes[at]?.kind} ${changes[at]?.path}`);
    }
  }

  /** Hears of notifications for `path` and of its children. Returns a function that stops listening. */
  listen(path: string, listener: PathListener): () => void {
    let listeners = this.#listeners.get(path);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(path, listeners);
    }
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(path) === listeners) this.#listeners.delete(path);
    };
  }

  /** Ends the session, with the nodes that end with it, as far as the server can be told. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    const connection = this.#connection;
    await this.#within('closing', connection?.endSession() ?? Promise.resolve()).catch(() => {});
    connection?.destroy();
    for (const waiter of this.#waiting.splice(0)) waiter.reject(clientClosed());
  }

  async #ask(what: string, make: (xid: number) => Uint8Array, on?: ZooKeeperConnection): Promise<JuteReader> {
    const connection = on ?? (await this.connected());
    return (await this.#within(what, connection.request(what, make))).body;
  }

  #within<T>(what: string, work: Promise<T>): Promise<T> {
    const { runtime, timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const limit = runtime.timers.after(timeoutMs, () => reject(timedOut(what, timeoutMs)));
      work.then(resolve, reject).finally(() => limit.cancel());
    });
  }

  async #connect(): Promise<void> {
    this.#connecting = true;
    try {
      await this.#connectTo(this.#options.servers.addresses[this.#at] as Address);
    } catch (thrown) {
      this.#noteFailure(HeddleError.from(thrown));
    } finally {
      this.#connecting = false;
    }
  }

  async #connectTo(address: Address): Promise<void> {
    const { runtime, servers, sessionMs } = this.#options;
    const connection = await ZooKeeperConnection.open({
      runtime,
      address,
      tls: servers.tls,
      credentials: servers.credentials,
      timeoutMs: sessionMs,
      session: this.#session,
      lastZxid: this.#lastZxid,
      onNotification: (notification) => this.#notify(notification),
      onClose: (error) => this.#lost(connection, error),
    });
    if (this.#doubted !== undefined) await this.#compare(connection, this.#doubted);
    if (this.#closed) {
      await connection.endSession().catch(() => {});
      return;
    }
    this.#doubted = undefined;
    this.#refusals = 0;
    this.#failures = 0;
    this.#connection = connection;
    if (this.#session?.id !== connection.session.id) this.#options.onSession?.(connection.session);
    this.#session = connection.session;
    for (const waiter of this.#waiting.splice(0)) waiter.resolve(connection);
  }

  async #compare(connection: ZooKeeperConnection, seen: bigint): Promise<void> {
    await connection.ping();
    if (connection.lastZxid < seen) this.#options.onNewHistory?.();
  }

  #noteFailure(error: HeddleError): void {
    const { runtime, servers, sessionMs } = this.#options;
    const count = servers.addresses.length;
    this.#failures += 1;
    this.#at = (this.#at + 1) % count;
    if (error.reason === 'SESSION_EXPIRED') this.#session = undefined;
    if (error.reason === 'SERVER_REFUSED' && this.#lastZxid > 0n) {
      if (this.#refusals === 0) this.#refusedSinceMs = runtime.clock.nowMs();
      this.#refusals += 1;
      if (this.#refusals >= 2 * count && runtime.clock.nowMs() - this.#refusedSinceMs >= sessionMs) {
        this.#doubted ??= this.#lastZxid;
        this.#lastZxid = 0n;
        this.#session = undefined;
      }
    }
    if (this.#failures % count === 0 && error.reason !== 'SESSION_EXPIRED')
      for (const waiter of this.#waiting.splice(0)) waiter.reject(error);
    this.#connectLater();
  }

  #lost(connection: ZooKeeperConnection, error: HeddleError): void {
    if (connection.lastZxid > this.#lastZxid) this.#lastZxid = connection.lastZxid;
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    for (const listener of [...this.#listeners.values()].flatMap((set) => [...set])) listener.lost(error);
    this.#at = (this.#at + 1) % this.#options.servers.addresses.length;
    this.#connectLater();
  }

  /** With full jitter, so that not all clients come at once to a server that was away. */
  #connectLater(): void {
    if (this.#closed) return;
    const { random, timers } = this.#options.runtime;
    const longestMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(this.#failures, 16));
    this.#retry?.cancel();
    this.#retry = timers.after(longestMs * random.float(), () => {
      if (!this.#connecting && this.#connection === undefined) void this.#connect();
    });
  }

  #notify(notification: Notification): void {
    const { path } = notification;
    const parent = path.slice(0, path.lastIndexOf('/'));
    for (const at of [path, parent])
      for (const listener of this.#listeners.get(at) ?? []) listener.notified(notification);
  }
}

const notTried = -2;

function timedOut(what: string, timeoutMs: number): HeddleError {
  const message = `ZooKeeper, ${what}: no answer within ${timeoutMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'REGISTRY_TIMEOUT', message });
}

function clientClosed(): HeddleError {
  const message = 'the connections of this registry object are closed';
  return new HeddleError({ code: 'failed_precondition', reason: 'REGISTRY_CLOSED', message, sent: false });
}

function noAddress(): HeddleError {
  const message = 'expected at least one address of a ZooKeeper server, found none';
  return new HeddleError({ code: 'invalid_argument', reason: 'NO_ADDRESS', message, sent: false });
}
