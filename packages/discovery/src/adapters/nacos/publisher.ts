import type { NacosClient } from './nacos-client.ts';
import type { NacosConnection } from './nacos-connection.ts';
import type { NacosInstance } from './nacos-instance.ts';

/** Ephemeral instances are published for a connection, all of one service at once; persistent ones one by one. */
interface Publication {
  readonly desired: Map<string, NacosInstance>;
  /** Whether the server has any of them from this connection. */
  published: boolean;
  running: Promise<void> | undefined;
  again: Promise<void> | undefined;
}

/**
 * Ephemeral instances of this process as the server is to have them. Whatever changes, the whole list of the service is
 * sent; what changes while one is on its way goes with the next. After a lost connection all are published again.
 */
export class Publisher {
  readonly #client: NacosClient;
  readonly #publications = new Map<string, Publication>();

  constructor(client: NacosClient) {
    this.#client = client;
  }

  /** The entry as it should be; undefined if there should be none. */
  stated(service: string, id: string): NacosInstance | undefined {
    return this.#publications.get(service)?.desired.get(id);
  }

  /** Adds or replaces an entry. */
  set(service: string, id: string, entry: NacosInstance): Promise<void> {
    const publication = this.#publicationOf(service);
    publication.desired.set(id, entry);
    return this.#flush(service, publication);
  }

  /** Takes an entry away. */
  remove(service: string, id: string): Promise<void> {
    const publication = this.#publications.get(service);
    if (publication?.desired.delete(id) !== true) return Promise.resolve();
    return this.#flush(service, publication);
  }

  /** A new connection knows nothing of us. */
  async republish(connection: NacosConnection): Promise<void> {
    for (const publication of this.#publications.values()) publication.published = false;
    await Promise.allSettled(
      [...this.#publications].map(([service, publication]) => this.#send(service, publication, connection)),
    );
  }

  #publicationOf(service: string): Publication {
    let publication = this.#publications.get(service);
    if (publication === undefined) {
      publication = { desired: new Map(), published: false, running: undefined, again: undefined };
      this.#publications.set(service, publication);
    }
    return publication;
  }

  /** Resolves when what is stated now has been sent. */
  #flush(service: string, publication: Publication): Promise<void> {
    const { running } = publication;
    if (running === undefined) return this.#start(service, publication);
    publication.again ??= running
      .catch(() => {})
      .then(() => {
        publication.again = undefined;
        return this.#start(service, publication);
      });
    return publication.again;
  }

  #start(service: string, publication: Publication): Promise<void> {
    const sent = this.#send(service, publication).finally(() => {
      if (publication.running === sent) publication.running = undefined;
    });
    publication.running = sent;
    return sent;
  }

  async #send(service: string, publication: Publication, on?: NacosConnection): Promise<void> {
    const connection = on ?? (await this.#client.connected());
    const entries = [...publication.desired.values()];
    if (entries.length === 0) {
      if (!publication.published) return;
      const json = {
        serviceName: service,
        type: 'deregisterInstance',
        instance: { ip: '0.0.0.0', port: 0, ephemeral: true },
      };
      await this.#client.ask('InstanceRequest', json, connection);
      publication.published = false;
      return;
    }
    publication.published = true;
    const json = { serviceName: service, type: 'batchRegisterInstance', instances: entries };
    await this.#client.ask('BatchInstanceRequest', json, connection);
  }
}
