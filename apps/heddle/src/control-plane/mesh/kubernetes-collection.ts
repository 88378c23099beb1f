import { decodeJson, type KubernetesClient, membersOf, readLines } from '@heddle/discovery/clients';
import { Call, HeddleError, type Runtime, sleep } from '@heddle/kernel';

/** An object of the API, of whatever kind. */
export type KubernetesJson = Readonly<Record<string, unknown>> & {
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion: string;
  };
};

/** A kind of objects in all namespaces. */
export interface Collection {
  /** `/apis/networking.istio.io/v1/virtualservices`. */
  readonly path: string;
  readonly apiVersion: string;
  readonly kind: string;
}

/** How a collection is followed. */
export interface CollectionOptions {
  readonly runtime: Runtime;
  readonly client: KubernetesClient;
  readonly collection: Collection;
  /** Something is another than before. */
  readonly changed: () => void;
}

const watchSeconds = 30;
const graceMs = 5000;
const longestLineBytes = 8 * 1024 * 1024;
const [firstWaitMs, longestWaitMs] = [200, 5000];

/** What there is of a kind, kept up to date by list and watch for as long as it is wanted. */
export class FollowedCollection {
  readonly collection: Collection;
  readonly #options: CollectionOptions;
  readonly #call: Call;
  #objects: ReadonlyMap<string, KubernetesJson> = new Map();
  #problem: HeddleError | undefined;

  constructor(options: CollectionOptions) {
    this.#options = options;
    this.collection = options.collection;
    this.#call = Call.root(options.runtime);
  }

  /** By `namespace/name`. What was known stays while the server cannot be asked. */
  get objects(): ReadonlyMap<string, KubernetesJson> {
    return this.#objects;
  }

  /** Why the server cannot be asked at the moment. */
  get problem(): HeddleError | undefined {
    return this.#problem;
  }

  /** Lists once, and follows from there. A kind that the server does not have is one without objects. */
  async start(): Promise<void> {
    const version = await this.#list();
    void this.#go(version);
  }

  stop(): void {
    this.#call.cancel(new HeddleError({ code: 'cancelled', reason: 'CLOSED', message: 'nobody reads this' }));
    this.#call.end();
  }

  async #go(from: string | undefined): Promise<void> {
    let version = from;
    for (let failures = 0; this.#call.cancelled === undefined; ) {
      try {
        if (version === undefined) {
          version = await this.#list();
          this.#options.changed();
        }
        // A kind that is not there may come: it is looked for again.
        if (version === undefined) await this.#wait(longestWaitMs);
        else version = await this.#watch(version);
        failures = 0;
        this.#problem = undefined;
      } catch (thrown) {
        if (this.#call.cancelled !== undefined) return;
        this.#problem = HeddleError.from(thrown);
        version = undefined;
        failures += 1;
        await this.#wait(Math.min(longestWaitMs, firstWaitMs * 2 ** failures)).catch(() => {});
      }
    }
  }

  #wait(ms: number): Promise<void> {
    return sleep(this.#options.runtime.timers, ms, this.#call);
  }

  /** The version that the list is true for; undefined: the server has no such kind. */
  async #list(): Promise<string | undefined> {
    const objects = new Map<string, KubernetesJson>();
    for (let next = ''; ; ) {
      const query = { limit: '500', ...(next !== '' && { continue: next }) };
      let answer: Readonly<Record<string, unknown>>;
      try {
        answer = membersOf(
          await this.#options.client.ask({ method: 'GET', path: this.collection.path, query }),
        );
      } catch (thrown) {
        if (HeddleError.from(thrown).code !== 'not_found') throw thrown;
        this.#objects = new Map();
        return undefined;
      }
      for (const item of answer['items'] as readonly KubernetesJson[])
        objects.set(keyOf(item), this.#whole(item));
      const metadata = membersOf(answer['metadata']);
      next = typeof metadata['continue'] === 'string' ? metadata['continue'] : '';
      if (next !== '') continue;
      this.#objects = objects;
      return String(metadata['resourceVersion']);
    }
  }

  /** One watch, to its end: the version to go on from; undefined: the server has forgotten where we were. */
  async #watch(from: string): Promise<string | undefined> {
    const call = this.#call.child();
    const { client, runtime, changed } = this.#options;
    const alarm = runtime.timers.after(watchSeconds * 1000 + graceMs, () => call.cancel(silent()));
    let version = from;
    try {
      const query = {
        watch: '1',
        allowWatchBookmarks: 'true',
        resourceVersion: from,
        timeoutSeconds: String(watchSeconds),
      };
      const { body } = await client.stream({ method: 'GET', path: this.collection.path, query }, call);
      for await (const line of readLines(body, longestLineBytes)) {
        const { type, object } = membersOf(decodeJson(line));
        if (type === 'ERROR') return undefined;
        const item = object as KubernetesJson;
        version = String(item.metadata.resourceVersion);
        if (type === 'BOOKMARK') continue;
        const objects = new Map(this.#objects);
        if (type === 'DELETED') objects.delete(keyOf(item));
        else objects.set(keyOf(item), this.#whole(item));
        this.#objects = objects;
        changed();
      }
      return version;
    } finally {
      alarm.cancel();
      call.end();
    }
  }

  /** Items of a list do not say what they are. */
  #whole(item: KubernetesJson): KubernetesJson {
    const { apiVersion, kind } = this.collection;
    return { ...item, apiVersion, kind };
  }
}

function keyOf({ metadata: { namespace = '', name } }: KubernetesJson): string {
  return `${namespace}/${name}`;
}

function silent(): HeddleError {
  const message = 'the API server has not ended a watch when it was due; the connection is taken for broken';
  return new HeddleError({ code: 'unavailable', reason: 'WATCH_SILENT', message });
}
