import { HeddleError, type Runtime, sleep } from '@heddle/kernel';
import {
  broker,
  type Broker,
  inbox,
  type InboxStore,
  MemoryInbox,
  MemoryOutbox,
  Outbox,
  type OutboxStore,
  type PublishMode,
} from '@heddle/messaging';
import { memoryEngine, MemoryLog } from '@heddle/messaging/memory';

/** What the sender's database holds. */
export interface Debits {
  ids: string[];
}

/** What the receiver's database holds. Nothing in it forbids that an id is there twice. */
export interface Credits {
  ids: string[];
}

/** What may be wrong on purpose. */
export interface PlantedInBank {
  readonly outbox?: (store: OutboxStore<Debits>) => OutboxStore<Debits>;
  readonly inbox?: (store: InboxStore<Credits>) => InboxStore<Credits>;
  readonly receive?: PublishMode;
}

const topic = 'transfers';
const leaseMs = 1000;
// One answer in ten is lost on its way: what was asked for has happened all the same.
const lossRate = 0.1;

type Store = ReturnType<MemoryLog['connect']>;

/** A log that is not in the same room: every question takes its time, and some answers never come. */
class DistantLog extends MemoryLog {
  readonly #near: MemoryLog;
  readonly #runtime: Runtime;

  constructor(near: MemoryLog, runtime: Runtime) {
    super(runtime);
    this.#near = near;
    this.#runtime = runtime;
  }

  override connect(): Store {
    const near = this.#near.connect();
    const { timers, random } = this.#runtime;
    const travel = (): Promise<void> => sleep(timers, random.float() * 10);
    const asked = async (work: () => Promise<unknown>): Promise<unknown> => {
      await travel();
      const answer = await work();
      await travel();
      if (random.float() < lossRate) throw lost();
      return answer;
    };
    return new Proxy(near, {
      get: (target, name) => {
        const found: unknown = Reflect.get(target, name, target);
        if (typeof found !== 'function') return found;
        const bound = (...args: unknown[]): unknown => Reflect.apply(found, target, args);
        if (name === 'onAppend' || name === 'onMembers') return bound;
        return (...args: unknown[]) => asked(async () => bound(...args));
      },
    });
  }
}

function lost(): HeddleError {
  return new HeddleError({ code: 'unavailable', reason: 'ANSWER_LOST', message: 'no answer came' });
}

/** The databases of both banks and the log between them; they outlive every process. */
export class Bank {
  readonly debits: MemoryOutbox<Debits> = new MemoryOutbox<Debits>({ ids: [] });
  readonly credits: MemoryInbox<Credits> = new MemoryInbox<Credits>({ ids: [] });
  readonly log: MemoryLog;
  readonly #planted: PlantedInBank;

  constructor(runtime: Runtime, planted: PlantedInBank) {
    this.log = new MemoryLog(runtime);
    this.#planted = planted;
  }

  /** Sends a transfer every now and then while `wanted` says so, and relays. */
  async runSender(runtime: Runtime, isAlive: () => boolean, wanted: () => boolean): Promise<void> {
    const { outbox } = await this.#outbox(runtime, isAlive);
    for (;;) {
      await sleep(runtime.timers, 20 + runtime.random.float() * 60);
      if (!wanted()) continue;
      const id = runtime.random.uuid();
      const work = outbox.transaction(async (state) => {
        await outbox.publish(state, [{ topic, id, key: id.slice(0, 1), payload: new Uint8Array() }]);
        state.ids.push(id);
      });
      await work.catch(() => {});
    }
  }

  /** Relays what the senders leave, beside them. */
  async runRelay(runtime: Runtime, isAlive: () => boolean): Promise<void> {
    await this.#outbox(runtime, isAlive);
  }

  async runReceiver(runtime: Runtime): Promise<void> {
    const { receive = 'at-least-once', inbox: disguise = (store) => store } = this.#planted;
    const bus = await this.#broker(runtime);
    const store = disguise(this.credits);
    const handler = inbox(store, 'bank', async ({ message }, state) => {
      state.ids.push(message.id);
    });
    const options = { group: 'bank', mode: receive, attempts: 1000, backoff: { baseMs: 20, maxMs: 200 } };
    await bus.subscribeBatch(topic, { ...options, batch: 5 }, async (deliveries, call) => {
      await sleep(runtime.timers, runtime.random.float() * 20, call);
      await handler(deliveries, call);
      await sleep(runtime.timers, runtime.random.float() * 20, call);
    });
  }

  async #outbox(runtime: Runtime, isAlive: () => boolean): Promise<{ readonly outbox: Outbox<Debits> }> {
    const { outbox: disguise = (store) => store } = this.#planted;
    const store = disguise(this.debits.connect(isAlive));
    const outbox = new Outbox({
      runtime,
      source: 'bank',
      store,
      broker: await this.#broker(runtime),
      pollMs: 200,
    });
    outbox.start();
    return { outbox };
  }

  async #broker(runtime: Runtime): Promise<Broker> {
    const log = new DistantLog(this.log, runtime);
    const bus = broker(memoryEngine(runtime, { log, leaseMs, pollMs: 100 }), { runtime, source: 'bank' });
    for (;;) {
      try {
        await bus.createTopic(topic, { partitions: 3 });
        return bus;
      } catch {
        await sleep(runtime.timers, 50);
      }
    }
  }
}
