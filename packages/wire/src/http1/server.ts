import type { Connection, Runtime } from '@heddle/kernel';
import type { HttpService } from '../message/http.ts';
import { Sweep } from '../sweep.ts';
import { type ConnectionServer, ServerConnection } from './server-connection.ts';
import type { Http1ServerLimits } from './server-limits.ts';

/** What all connections of one server share. */
export class Http1Server implements ConnectionServer {
  readonly service: HttpService;
  readonly runtime: Runtime;
  readonly limits: Http1ServerLimits;
  readonly sweep: Sweep;
  /** Requests refused, by the stable reason; what cannot be read and what takes too long alike. */
  readonly refusals: Map<string, number> = new Map();
  readonly #connections = new Set<ServerConnection>();
  readonly #date: DateField;
  #draining = false;
  #whenEmpty: (() => void)[] = [];

  constructor(service: HttpService, runtime: Runtime, limits: Http1ServerLimits) {
    this.service = service;
    this.runtime = runtime;
    this.limits = limits;
    const { headMs, idleMs, bodyIdleMs, writeIdleMs, lingerMs } = limits;
    const shortestMs = Math.min(headMs, idleMs, bodyIdleMs, writeIdleMs, lingerMs);
    this.sweep = new Sweep(runtime, Math.max(10, Math.min(1000, shortestMs / 4)));
    this.#date = new DateField(runtime);
  }

  /** Open connections. */
  get size(): number {
    return this.#connections.size;
  }

  get draining(): boolean {
    return this.#draining;
  }

  readonly dateLine = (): Uint8Array => {
    return this.#date.line();
  };

  /** Serves on a connection whose events have not been opened yet. */
  accept(connection: Connection): void {
    const served = new ServerConnection(this, connection);
    this.#connections.add(served);
    this.sweep.add(served);
    connection.open(served);
  }

  refused(reason: string): void {
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
  }

  forget(connection: ServerConnection): void {
    this.#connections.delete(connection);
    this.sweep.delete(connection);
    if (this.#connections.size > 0) return;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  /** Lets exchanges finish, each the last of its connection; closes idle connections. Resolves when none is open. */
  drain(): Promise<void> {
    this.#draining = true;
    for (const connection of this.#connections) connection.closeWhenIdle();
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Drops all connections. */
  destroy(): void {
    this.#draining = true;
    for (const connection of this.#connections) connection.destroy();
  }
}

class DateField {
  readonly #runtime: Runtime;
  #second = -1;
  #line: Uint8Array = Buffer.alloc(0);

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  line(): Uint8Array {
    const second = Math.floor(this.#runtime.clock.wallMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#line = Buffer.from(`date: ${new Date(second * 1000).toUTCString()}\r\n`);
    }
    return this.#line;
  }
}
