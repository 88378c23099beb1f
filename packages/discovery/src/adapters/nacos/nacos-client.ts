import { type Address, HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { EndpointTls } from '@heddle/wire';
import { NacosConnection } from './nacos-connection.ts';
import { NacosLogin } from './nacos-login.ts';
import type { NacosAnswer, NacosMessage, ServiceInfo } from './nacos-message.ts';

/** How to reach Nacos: plain data, but for the TLS source. */
export interface NacosReach {
  /** Servers of one cluster by their HTTP ports, at least one; the first that answers is used. gRPC is 1000 above. */
  readonly addresses: readonly Address[];
  /** Default: that of the server, `public`. */
  readonly namespace?: string | undefined;
  /** Default `DEFAULT_GROUP`. */
  readonly group?: string | undefined;
  /** The cluster of what this process registers. Default `DEFAULT`. */
  readonly cluster?: string | undefined;
  /** For a server with authentication on. */
  readonly credentials?: { readonly user: string; readonly password: string } | undefined;
  readonly tls?: EndpointTls | undefined;
  /** How far gRPC is above the HTTP port. Default 1000. */
  readonly grpcOffset?: number | undefined;
  /** Deadline of each request. Default 6000. */
  readonly timeoutMs?: number | undefined;
}

/** Hears of pushes for a service, and of the end of the connection on which it was subscribed. */
export interface ServiceListener {
  pushed(info: ServiceInfo): void;
  lost(error: HeddleError): void;
}

/** Hears of whatever else the server says of its own accord, and of the end of the connection on which it would. */
export interface PushListener {
  pushed(message: NacosMessage): void;
  lost(error: HeddleError): void;
}

const firstBackoffMs = 100;
const longestBackoffMs = 2000;

/** A connection to one of the servers, for as long as anybody uses it: a lost one is replaced by one to the next. */
export class NacosClient {
  readonly namespace: string;
  readonly group: string;
  readonly #runtime: Runtime;
  readonly #reach: NacosReach;
  readonly #timeoutMs: number;
  readonly #login: NacosLogin | undefined;
  readonly #listeners = new Map<string, Set<ServiceListener>>();
  readonly #pushListeners = new Set<PushListener>();
  readonly #onConnected: (connection: NacosConnection) => void;
  #connection: NacosConnection | undefined;
  #opening: Promise<NacosConnection> | undefined;
  #at = 0;
  #failures = 0;
  #retry: Timer | undefined;
  #wanted = false;
  #closed = false;

  /** `onConnected`: what was registered on the connection before is there no more. */
  constructor(runtime: Runtime, reach: NacosReach, onConnected: (connection: NacosConnection) => void) {
    if (reach.addresses.length === 0) throw noAddress();
    this.#runtime = runtime;
    this.#reach = reach;
    this.namespace = reach.namespace ?? '';
    this.group = reach.group ?? 'DEFAULT_GROUP';
    this.#timeoutMs = reach.timeoutMs ?? 6000;
    this.#login = reach.credentials && new NacosLogin(runtime, { ...reach, timeoutMs: this.#timeoutMs });
    this.#onConnected = onConnected;
  }

  /** An open connection: each server is tried once. */
  connected(): Promise<NacosConnection> {
    if (this.#closed) return Promise.reject(clientClosed());
    if (this.#connection?.isOpen === true) return Promise.resolve(this.#connection);
    this.#wanted = true;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async ask(type: string, json: object, on?: NacosConnection): Promise<NacosAnswer> {
    return (on ?? (await this.connected())).ask(type, {
      namespace: this.namespace,
      groupName: this.group,
      ...json,
    });
  }

  /** What the server knows of a service. */
  async query(service: string, on?: NacosConnection): Promise<ServiceInfo> {
    const json = { serviceName: service, cluster: '', healthyOnly: false, udpPort: 0 };
    return (await this.ask('ServiceQueryRequest', json, on)).serviceInfo ?? {};
  }

  /** Hears of pushes for `service`. Returns a function that stops listening. */
  listen(service: string, listener: ServiceListener): () => void {
    const listeners = this.#listeners.get(service) ?? new Set();
    this.#listeners.set(service, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(service) === listeners) this.#listeners.delete(service);
    };
  }

  /** Hears of pushes of all other kinds. Returns a function that stops listening. */
  onPush(listener: PushListener): () => void {
    this.#pushListeners.add(listener);
    return () => this.#pushListeners.delete(listener);
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#connection?.close();
    this.#login?.close();
  }

  async #open(): Promise<NacosConnection> {
    const { addresses, grpcOffset = 1000, tls } = this.#reach;
    this.#retry?.cancel();
    for (let tried = 1; ; tried++) {
      const { host, port } = addresses[this.#at] as Address;
      try {
        const connection: NacosConnection = await NacosConnection.open({
          runtime: this.#runtime,
          address: { host, port: port + grpcOffset },
          tls,
          namespace: this.namespace,
          timeoutMs: this.#timeoutMs,
          headers: async () => (await this.#login?.headers()) ?? {},
          onPush: (message) => {
            if (message.type === 'NotifySubscriberRequest') this.#notify(message.json);
            else for (const listener of this.#pushListeners) listener.pushed(message);
          },
          onClose: (error) => this.#lost(error),
        });
        this.#connection = connection;
        this.#failures = 0;
        this.#onConnected(connection);
        return connection;
      } catch (thrown) {
        this.#at = (this.#at + 1) % addresses.length;
        this.#failures += 1;
        if (tried < addresses.length) continue;
        this.#connectLater();
        throw HeddleError.from(thrown);
      }
    }
  }

  #lost(error: HeddleError): void {
    if (this.#connection === undefined) return;
    this.#connection = undefined;
    for (const listener of [...this.#listeners.values()].flatMap((set) => [...set])) listener.lost(error);
    for (const listener of this.#pushListeners) listener.lost(error);
    this.#connectLater();
  }

  /** Without being asked: what is registered is gone until there is a connection again. */
  #connectLater(): void {
    if (this.#closed || !this.#wanted) return;
    const { random, timers } = this.#runtime;
    const longestMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(this.#failures, 16));
    this.#retry?.cancel();
    this.#retry = timers.after(longestMs * random.float(), () => {
      this.connected().catch(() => {});
    });
  }

  #notify(json: Readonly<Record<string, unknown>>): void {
    const { serviceInfo } = json as { readonly serviceInfo?: ServiceInfo };
    if (serviceInfo?.groupName !== this.group) return;
    for (const listener of this.#listeners.get(String(serviceInfo.name)) ?? []) listener.pushed(serviceInfo);
  }
}

function clientClosed(): HeddleError {
  const message = 'the connections of this registry object are closed';
  return new HeddleError({ code: 'failed_precondition', reason: 'REGISTRY_CLOSED', message, sent: false });
}

function noAddress(): HeddleError {
  const message = 'expected at least one address of a Nacos server, found none';
  return new HeddleError({ code: 'invalid_argument', reason: 'NO_ADDRESS', message, sent: false });
}
