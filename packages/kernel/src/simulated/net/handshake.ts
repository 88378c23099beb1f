import { HeddleError } from '../../error.ts';
import type { Address, Connection } from '../../ports/net.ts';
import type { Timer } from '../../ports/timers.ts';
import type { SimulatedProcess } from '../process.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { Link } from './link.ts';

// RFC 6298, 2.1: one second, doubled each time.
const firstRetryMs = 1000;

/** What a handshake needs to know. */
export interface HandshakeOptions {
  readonly time: VirtualTime;
  readonly process: SimulatedProcess;
  readonly address: Address;
  readonly timeoutMs: number;
  readonly forward: Link;
  readonly backward: Link;
  /** What the first packet finds when it arrives. */
  readonly lookUp: () => 'unknown' | 'down' | 'refused' | 'listening';
  /** Makes the connection; undefined if nobody listens any more. */
  readonly establish: () => Connection | undefined;
  readonly note: (what: string) => void;
}

/** From `connect` to its answer: the packets of RFC 9293 section 3.5 that can be lost, and what becomes of it. */
export class Handshake {
  readonly #options: HandshakeOptions;
  #resolve: (connection: Connection) => void = () => {};
  #reject: (error: HeddleError) => void = () => {};
  #limit: Timer | undefined;
  #retry: Timer | undefined;
  #settled = false;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** Called once. The answer reaches the process as everything else does: when it runs. */
  run(): Promise<Connection> {
    const { process, timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#limit = process.timers.after(timeoutMs, () => {
        this.#fail('CONNECT_TIMEOUT', `no answer within ${timeoutMs} ms`);
      });
      this.#try(0);
    });
  }

  #try(attempt: number): void {
    const { time, forward } = this.#options;
    if (this.#over) return;
    time.timers.after(forward.delayMs(time.clock.nowMs(), 0), () => {
      if (forward.delivers()) this.#arrived();
    });
    this.#retry = time.timers.after(firstRetryMs * 2 ** attempt, () => this.#try(attempt + 1));
  }

  #arrived(): void {
    const { time, backward, lookUp } = this.#options;
    const found = lookUp();
    if (this.#over || found === 'down') return;
    time.timers.after(backward.delayMs(time.clock.nowMs(), 0), () => {
      // A name that does not resolve is the answer of a server of names, which this network has everywhere.
      if (found !== 'unknown' && !backward.delivers()) return;
      this.#answered(found);
    });
  }

  #answered(found: 'unknown' | 'refused' | 'listening'): void {
    if (this.#over) return;
    this.#options.process.enter(() => {
      if (this.#over) return;
      const { host, port } = this.#options.address;
      if (found === 'unknown') {
        this.#fail('CONNECT_FAILED', `no host is called ${host}`);
        return;
      }
      const connection = found === 'refused' ? undefined : this.#options.establish();
      if (connection === undefined) {
        this.#fail('CONNECTION_REFUSED', `nobody listens on port ${port}`);
        return;
      }
      this.#settle();
      this.#resolve(connection);
    });
  }

  /** What is still on its way comes to nothing. */
  get #over(): boolean {
    return this.#settled || !this.#options.process.alive;
  }

  #settle(): void {
    this.#settled = true;
    this.#limit?.cancel();
    this.#retry?.cancel();
  }

  #fail(reason: string, text: string): void {
    const { address, note } = this.#options;
    this.#settle();
    note(reason === 'CONNECT_TIMEOUT' ? 'timeout' : 'refused');
    const message = `connecting to ${address.host}:${address.port}: ${text}`;
    this.#reject(new HeddleError({ code: 'unavailable', reason, message, sent: false }));
  }
}
