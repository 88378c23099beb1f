import { NacosConnection, NacosLogin, type NacosMessage } from '@heddle/discovery/clients';
import { type Address, HeddleError, type Runtime } from '@heddle/kernel';
import type { EndpointTls } from '@heddle/wire';

/** How to reach Nacos. */
export interface NacosConfigReach {
  readonly runtime: Runtime;
  /** Servers of one cluster by their HTTP ports, at least one. gRPC is 1000 above. */
  readonly addresses: readonly Address[];
  /** Nacos' own namespace. Default: that of the server, `public`. */
  readonly namespace?: string | undefined;
  readonly credentials?: { readonly user: string; readonly password: string } | undefined;
  readonly tls?: EndpointTls | undefined;
  /** How far gRPC is above the HTTP port. Default 1000. */
  readonly grpcOffset?: number | undefined;
  /** Deadline of each request. Default 6000. */
  readonly timeoutMs?: number | undefined;
}

/** What an entry holds. */
export interface NacosEntry {
  readonly content: string;
  readonly md5: string;
}

/** Hears of an entry's changes, and of the end of the connection that brought them. */
export interface NacosEntryListener {
  readonly changed: () => void;
  readonly lost: (error: HeddleError) => void;
}

const group = 'heddle';
/** What no content's MD5 is: a publication on this condition can only make an entry. */
const noMd5 = 'none';

/** The configuration half of Nacos' gRPC API, on one connection that is opened again when it is needed. */
export class NacosConfigClient {
  readonly #reach: NacosConfigReach;
  readonly #login: NacosLogin | undefined;
  readonly #listeners = new Map<string, Set<NacosEntryListener>>();
  #opening: Promise<NacosConnection> | undefined;
  #current: NacosConnection | undefined;
  #at = 0;
  #closed = false;

  constructor(reach: NacosConfigReach) {
    const { runtime, timeoutMs = 6000, credentials } = reach;
    this.#reach = reach;
    this.#login = credentials && new NacosLogin(runtime, { ...reach, timeoutMs });
  }

  /** Undefined if there is none. */
  async query(dataId: string): Promise<NacosEntry | undefined> {
    try {
      const answer = await this.#ask('ConfigQueryRequest', { ...this.#entry(dataId), tag: '' });
      const { content, md5 } = answer;
      return { content: typeof content === 'string' ? content : '', md5: typeof md5 === 'string' ? md5 : '' };
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (error.code === 'not_found') return undefined;
      throw error;
    }
  }

  /** Writes an entry, whatever it is. */
  async publish(dataId: string, content: string): Promise<void> {
    await this.#ask('ConfigPublishRequest', { ...this.#entry(dataId), content, casMd5: '', additionMap: {} });
  }

  /** Writes an entry if its content is still the one with that MD5; undefined: if there is none. Says whether it did. */
  async publishIf(dataId: string, content: string, md5: string | undefined): Promise<boolean> {
    try {
      const on = { content, casMd5: md5 ?? noMd5, additionMap: {} };
      await this.#ask('ConfigPublishRequest', { ...this.#entry(dataId), ...on });
      return true;
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      // It says so in words; of two that make an entry at once, one meets the other's in the database.
      if (
        error.reason === 'REGISTRY_REFUSED' &&
        /cas publish fail|duplicate|unique|integrity/i.test(error.message)
      )
        return false;
      throw error;
    }
  }

  /** Listens on the connection of now. Rejects if there is none to be had. Gives what ends the listening. */
  async listen(dataId: string, md5: string, listener: NacosEntryListener): Promise<() => void> {
    const listeners = this.#listeners.get(dataId) ?? new Set();
    this.#listeners.set(dataId, listeners.add(listener));
    const stop = (): void => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(dataId) === listeners) this.#listeners.delete(dataId);
    };
    try {
      await this.#listenTo(dataId, md5);
      return stop;
    } catch (thrown) {
      stop();
      throw thrown;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#login?.close();
    await this.#opening?.catch(() => undefined);
    this.#current?.close();
  }

  /** The server pushes once, for what differs from this MD5, and then wants to be asked again. */
  async #listenTo(dataId: string, md5: string): Promise<void> {
    const { dataId: id, group: of, tenant } = this.#entry(dataId);
    const context = { dataId: id, group: of, tenant, md5 };
    const answer = await this.#ask('ConfigBatchListenRequest', {
      listen: true,
      configListenContexts: [context],
    });
    const changed = answer['changedConfigs'];
    if (Array.isArray(changed) && changed.length > 0) this.#changed(dataId);
  }

  #entry(dataId: string): { readonly dataId: string; readonly group: string; readonly tenant: string } {
    return { dataId, group, tenant: this.#reach.namespace ?? '' };
  }

  async #ask(type: string, json: object): Promise<Readonly<Record<string, unknown>>> {
    const connection = await this.#connected();
    return (await connection.ask(type, { module: 'config', ...json })) as Readonly<Record<string, unknown>>;
  }

  async #connected(): Promise<NacosConnection> {
    if (this.#closed) throw clientClosed();
    if (this.#current?.isOpen === true) return this.#current;
    // Whoever comes meanwhile waits for the same one.
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(): Promise<NacosConnection> {
    const { addresses, grpcOffset = 1000, runtime, tls, namespace = '', timeoutMs = 6000 } = this.#reach;
    const address = addresses[this.#at % addresses.length];
    if (address === undefined) throw noAddress();
    try {
      const connection = await NacosConnection.open({
        runtime,
        address: { host: address.host, port: address.port + grpcOffset },
        tls,
        namespace,
        timeoutMs,
        headers: async () => (await this.#login?.headers()) ?? {},
        onPush: (message) => this.#pushed(message),
        onClose: (error) => this.#lost(error),
      });
      if (this.#closed) connection.close();
      this.#current = connection;
      return connection;
    } catch (thrown) {
      // The next one's turn, when somebody asks again.
      this.#at += 1;
      throw thrown;
    }
  }

  #pushed({ type, json }: NacosMessage): void {
    if (type === 'ConfigChangeNotifyRequest' && json['group'] === group)
      this.#changed(String(json['dataId']));
  }

  #changed(dataId: string): void {
    for (const { changed } of this.#listeners.get(dataId) ?? []) changed();
  }

  #lost(error: HeddleError): void {
    const all = [...this.#listeners.values()].flatMap((listeners) => [...listeners]);
    for (const { lost } of all) lost(error);
  }
}

function clientClosed(): HeddleError {
  const message = 'the connections of this store are closed';
  return new HeddleError({ code: 'failed_precondition', reason: 'STORE_CLOSED', message, sent: false });
}

function noAddress(): HeddleError {
  const message = 'expected at least one address of a Nacos server, found none';
  return new HeddleError({ code: 'invalid_argument', reason: 'NO_ADDRESS', message, sent: false });
}
