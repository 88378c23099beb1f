import {
  type Address,
  type Connection,
  HeddleError,
  type Runtime,
  type Timer,
  type TlsConnectOptions,
} from '@heddle/kernel';
import { JuteReader } from '../jute/jute-reader.ts';
import { PacketSplitter } from '../jute/packet-splitter.ts';
import {
  authRequest,
  connectRequest,
  type Notification,
  opcodes,
  plainRequest,
  readConnectResponse,
  readNotification,
  type Session,
  xids,
} from '../jute/requests.ts';
import { zkErrors, zooKeeperError } from '../jute/zookeeper-error.ts';

/** A user of ZooKeeper's scheme `digest`. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** How to open a connection. */
export interface ConnectionOptions {
  readonly runtime: Runtime;
  readonly address: Address;
  readonly tls: TlsConnectOptions | undefined;
  readonly credentials: Credentials | undefined;
  /** Asked for; the server may settle on another. */
  readonly timeoutMs: number;
  /** The session to go on with; undefined for a new one. */
  readonly session: Session | undefined;
  /** The newest that was seen of the history: a server that is behind closes the connection. */
  readonly lastZxid: bigint;
  readonly onNotification: (notification: Notification) => void;
  /** The connection has ended, after it had begun: why. */
  readonly onClose: (error: HeddleError) => void;
}

/** An answer. */
export interface Reply {
  readonly zxid: bigint;
  readonly body: JuteReader;
}

interface Pending {
  readonly xid: number;
  readonly what: string;
  resolve(reply: Reply): void;
  reject(error: HeddleError): void;
}

/**
 * A connection with a session on it, from one server. Answers come in the order of the requests. It pings at a third of
 * the session's time-out, and takes a server for lost that is silent for as long as that.
 */
export class ZooKeeperConnection {
  readonly session: Session;
  readonly #options: ConnectionOptions;
  readonly #connection: Connection;
  readonly #pending: Pending[] = [];
  #nextXid = 1;
  #lastZxid: bigint;
  #pings: Timer | undefined;
  #silence: Timer | undefined;
  #closed: HeddleError | undefined;

  /** Only for `open`. */
  constructor(connection: Connection, session: Session, options: ConnectionOptions) {
    this.#connection = connection;
    this.session = session;
    this.#options = options;
    this.#lastZxid = options.lastZxid;
    if (options.credentials !== undefined) {
      const { user, password } = options.credentials;
      this.#send(xids.auth, authRequest('digest', `${user}:${password}`), 'authentication', () => {});
    }
    this.#schedulePing();
    this.#expectMore();
  }

  /**
   * Connects. Rejects as `Net.connect`, and with `unavailable` / `SESSION_EXPIRED` if the session is no more, or
   * `SERVER_REFUSED` if the server closes the connection without a word: it is behind, or not part of a quorum.
   */
  static async open(options: ConnectionOptions): Promise<ZooKeeperConnection> {
    const { runtime, address, tls, timeoutMs } = options;
    const connectOptions = { timeoutMs, ...(tls !== undefined && { tls }) };
    const connection = await runtime.net.connect(address, connectOptions);
    return new Promise((resolve, reject) => {
      const splitter = new PacketSplitter();
      let opened: ZooKeeperConnection | undefined;
      const limit = runtime.timers.after(timeoutMs, () => {
        reject(lost(address, `no answer within ${timeoutMs} ms`));
        connection.destroy();
      });
      const begin = (packet: Uint8Array): void => {
        limit.cancel();
        const session = readConnectResponse(packet);
        if (session === undefined) {
          reject(zooKeeperError(zkErrors.sessionExpired, 'connecting'));
          connection.destroy();
        } else {
          opened = new ZooKeeperConnection(connection, session, options);
          resolve(opened);
        }
      };
      connection.open({
        data: (chunk) => {
          try {
            for (const packet of splitter.push(chunk)) {
              if (opened === undefined) begin(packet);
              else opened.#receive(packet);
            }
          } catch (thrown) {
            if (opened !== undefined) opened.#fail(HeddleError.from(thrown));
            reject(HeddleError.from(thrown));
            connection.destroy();
          }
        },
        end: () => connection.destroy(),
        drain: () => {},
        close: (error) => {
          limit.cancel();
          reject(error === undefined ? refused(address) : lost(address, error.message));
          if (opened !== undefined)
            opened.#fail(lost(address, error?.message ?? 'the server has closed the connection'));
        },
      });
      connection.write(connectRequest(options.lastZxid, timeoutMs, options.session));
    });
  }

  /** The newest that was seen of the history, here or before. */
  get lastZxid(): bigint {
    return this.#lastZxid;
  }

  get isOpen(): boolean {
    return this.#closed === undefined;
  }

  /** Sends what `make` gives for a number. `what` is for people. Rejects with the server's refusal, or `unavailable`. */
  request(what: string, make: (xid: number) => Uint8Array): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(this.#closed.with({ sent: false }));
        return;
      }
      const xid = this.#nextXid;
      this.#nextXid = xid === 0x7fff_ffff ? 1 : xid + 1;
      this.#send(xid, make(xid), what, resolve, reject);
    });
  }

  /** Resolves when the server has answered: the session has its full time again. */
  async ping(): Promise<void> {
    await new Promise<Reply>((resolve, reject) => {
      if (this.#closed === undefined)
        this.#send(xids.ping, plainRequest(xids.ping, opcodes.ping), 'ping', resolve, reject);
      else reject(this.#closed);
    });
  }

  /** Ends the session, and the nodes that end with it. */
  async endSession(): Promise<void> {
    try {
      await this.request('closing', (xid) => plainRequest(xid, opcodes.close));
    } finally {
      this.destroy();
    }
  }

  /** Drops the connection; the session goes on until its time is up. */
  destroy(): void {
    this.#connection.destroy();
    this.#fail(lost(this.#options.address, 'it was dropped here'));
  }

  #send(
    xid: number,
    packet: Uint8Array,
    what: string,
    resolve: (reply: Reply) => void,
    reject: (error: HeddleError) => void = (error) => this.#fail(error),
  ): void {
    this.#pending.push({ xid, what, resolve, reject });
    this.#connection.write(packet);
  }

  #receive(packet: Uint8Array): void {
    this.#expectMore();
    const reader = new JuteReader(packet);
    const xid = reader.int();
    const zxid = reader.long();
    const error = reader.int();
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
    if (xid === xids.notification) {
      this.#options.onNotification(readNotification(reader));
      return;
    }
    const at = this.#pending.findIndex((pending) => pending.xid === xid);
    const pending = this.#pending[at];
    if (pending === undefined) return;
    this.#pending.splice(at, 1);
    if (error === 0) pending.resolve({ zxid, body: reader });
    else pending.reject(zooKeeperError(error, pending.what));
  }

  #schedulePing(): void {
    this.#pings = this.#options.runtime.timers.after(this.session.timeoutMs / 3, () => {
      this.ping().catch(() => {});
      this.#schedulePing();
    });
  }

  #expectMore(): void {
    const { runtime, address } = this.#options;
    const { timeoutMs } = this.session;
    this.#silence?.cancel();
    this.#silence = runtime.timers.after(timeoutMs, () => {
      this.#fail(lost(address, `it has been silent for ${timeoutMs} ms`));
      this.#connection.destroy();
    });
  }

  #fail(error: HeddleError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#pings?.cancel();
    this.#silence?.cancel();
    for (const pending of this.#pending.splice(0)) pending.reject(error);
    this.#options.onClose(error);
  }
}

function lost({ host, port }: Address, why: string): HeddleError {
  const message = `the connection to ZooKeeper at ${host} port ${port} is lost: ${why}`;
  return new HeddleError({ code: 'unavailable', reason: 'CONNECTION_LOST', message });
}

function refused({ host, port }: Address): HeddleError {
  const message = `ZooKeeper at ${host} port ${port} closed the connection without a word: it is behind, or has no quorum`;
  return new HeddleError({ code: 'unavailable', reason: 'SERVER_REFUSED', message, sent: false });
}
