import { createHash } from 'node:crypto';
import { NacosClient, type NacosReach } from '@heddle/discovery/clients';
import { HeddleError, type Runtime, sleep } from '@heddle/kernel';

/** How to reach Nacos. */
export interface NacosEntriesOptions extends Omit<NacosReach, 'cluster'> {
  readonly runtime: Runtime;
}

// What was published is read a moment later: so often one looks, and after so long what was not taken is sent again.
const lookMs = 5;
const againMs = 1000;
const refusedAsAbsent = /\(error 300\)/;
const refusedAsBusy = /\(error 400\)/;
/** Nacos keeps nothing empty. */
const empty = '-';

/** What somebody hears of an entry. */
export interface EntryListener {
  /** It may have changed. */
  readonly wake: () => void;
  /** Nothing more will be heard. */
  readonly fail: (error: HeddleError) => void;
}

/**
 * Entries in the configuration store of Nacos (2.x, gRPC). Two kinds only, since more cannot be relied on: an entry that
 * is written once under a name nobody else uses, and a list that only grows.
 */
export class NacosEntries {
  readonly #runtime: Runtime;
  readonly #client: NacosClient;
  readonly #timeoutMs: number;

  constructor({ runtime, timeoutMs = 6000, ...reach }: NacosEntriesOptions) {
    this.#runtime = runtime;
    this.#timeoutMs = timeoutMs;
    this.#client = new NacosClient(runtime, { ...reach, timeoutMs }, () => {});
  }

  /** An entry; undefined if there is none. */
  async get(name: string): Promise<string | undefined> {
    const until = this.#runtime.clock.nowMs() + this.#timeoutMs;
    for (;;) {
      try {
        const answer: { readonly content?: unknown } = await this.#ask('ConfigQueryRequest', name);
        return String(answer.content);
      } catch (thrown) {
        const error = HeddleError.from(thrown);
        if (refusedAsAbsent.test(error.message)) return undefined;
        if (!refusedAsBusy.test(error.message) || this.#runtime.clock.nowMs() > until) throw error;
      }
      await sleep(this.#runtime.timers, lookMs);
    }
  }

  /** Writes an entry whose name is its own, and waits until it can be read. */
  async put(name: string, content: string): Promise<void> {
    await this.#ask('ConfigPublishRequest', name, { content });
    await this.#until(name, (found) => found !== undefined);
  }

  async remove(name: string): Promise<void> {
    await this.#ask('ConfigRemoveRequest', name);
  }

  /** What a list holds; nothing, if it was never made. */
  async list(name: string): Promise<readonly string[]> {
    return itemsOf(await this.get(name));
  }

  /**
   * Adds an item to a list that has `before`, and gives the list as it became: with the item, or longer by what somebody
   * else has added first. Nacos compares what is there with what was expected and keeps the first, but tells all who try
   * at once that it has taken theirs; and two that make an entry at once are told so too. So a list is made empty, which
   * is the same whoever does it, and what is there afterwards tells who was first: it only grows, so a longer one is later.
   */
  async add(name: string, before: readonly string[], item: string): Promise<readonly string[]> {
    const { clock } = this.#runtime;
    const until = clock.nowMs() + this.#timeoutMs;
    const old = [empty, ...before].join(' ');
    if (before.length === 0) await this.#makeEmpty(name);
    for (;;) {
      await this.#replace(name, old, `${old} ${item}`);
      const found = await this.#until(name, (text) => (text ?? '').length > old.length, againMs).catch(
        () => undefined,
      );
      if (found !== undefined) return itemsOf(found);
      if (clock.nowMs() > until) throw notTaken(name);
    }
  }

  /** Wakes when an entry may have changed, and once when that is listened for. Returns what ends it. */
  listen(name: string, { wake, fail }: EntryListener): () => void {
    const stop = this.#client.onPush({
      pushed: ({ json }) => {
        if (json['dataId'] === name && json['group'] === this.#client.group) wake();
      },
      lost: fail,
    });
    this.#hear(name).then(wake, (thrown: unknown) => fail(HeddleError.from(thrown)));
    return stop;
  }

  close(): void {
    this.#client.close();
  }

  async #hear(name: string): Promise<void> {
    const { group, namespace: tenant } = this.#client;
    const configListenContexts = [{ dataId: name, group, tenant, md5: '' }];
    await this.#client.ask('ConfigBatchListenRequest', {
      module: 'config',
      listen: true,
      configListenContexts,
    });
  }

  async #makeEmpty(name: string): Promise<void> {
    if ((await this.get(name)) !== undefined) return;
    await this.#replace(name, empty, empty);
    await this.#until(name, (found) => found !== undefined);
  }

  /** Writes if the old content is there. That it says so does not mean that it has. */
  async #replace(name: string, old: string, content: string): Promise<void> {
    try {
      const casMd5 = createHash('md5').update(old).digest('hex');
      await this.#ask('ConfigPublishRequest', name, { content, casMd5 });
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      // Some versions do tell: then somebody else's content is there.
      if (!(error.reason === 'REGISTRY_REFUSED' && error.code === 'unavailable')) throw error;
    }
  }

  async #until(
    name: string,
    holds: (content: string | undefined) => boolean,
    mostMs: number = this.#timeoutMs,
  ): Promise<string | undefined> {
    const { clock, timers } = this.#runtime;
    for (const until = clock.nowMs() + mostMs; ; await sleep(timers, lookMs)) {
      const content = await this.get(name);
      if (holds(content)) return content;
      if (clock.nowMs() > until) throw notTaken(name);
    }
  }

  #ask(type: string, name: string, json: object = {}): Promise<object> {
    const { group, namespace: tenant } = this.#client;
    return this.#client.ask(type, { module: 'config', dataId: name, group, tenant, ...json });
  }
}

function itemsOf(content: string | undefined): readonly string[] {
  return (content ?? empty).split(' ').slice(1);
}

function notTaken(name: string): HeddleError {
  const message = `Nacos does not show what was published as ${name}; whether it has it is not known`;
  return new HeddleError({ code: 'unknown', reason: 'NOT_SHOWN', message });
}
