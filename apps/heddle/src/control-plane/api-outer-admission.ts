import type { Instance, Registry } from '@heddle/discovery';
import { HeddleError, type Part, type Runtime, type Timer } from '@heddle/kernel';
import { type ApiJudge, keptOut, quarantineKey, undecided } from './api-judge.ts';

/** What guards a registry that others register in directly. */
export interface ApiOuterAdmissionOptions {
  readonly runtime: Runtime;
  readonly registry: Registry;
  readonly judge: ApiJudge;
  /** Whether a contract was refused before this process began. */
  readonly isRefused: (service: string, hash: string) => boolean;
}

interface Held {
  readonly instance: Instance;
  readonly hash: string;
  /** How often it could not be asked since it last could. */
  missed: number;
}

/** How often new services are looked for, and those that are held are asked again. */
const lookMs = 5000;
/** After that many looks without an answer an instance that is held has gone. */
const mostMissed = 3;

/**
 * Watches a registry that is not the control plane's own (etcd, Consul …), and judges whoever comes. What the catalogue
 * refuses is registered once more, in `maintenance`: the last to register an instance has its entry, so that resolvers
 * leave it out, and the instance steps in again when it is let go, or when this process is gone. Between its coming and
 * that it may get calls. Instances that are there before this process are recorded and left alone, unless their contract
 * had been refused before.
 */
export class ApiOuterAdmission implements Part {
  readonly name = 'contracts-outside';
  readonly #options: ApiOuterAdmissionOptions;
  readonly #held = new Map<string, Held>();
  /** What has been judged, as it was registered. */
  readonly #judged = new Map<string, string>();
  readonly #watched = new Map<string, Promise<void>>();
  readonly #stopped = new AbortController();
  /** Until all services have been looked at once. */
  #isFirst = true;
  #timer: Timer | undefined;

  constructor(options: ApiOuterAdmissionOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    void this.#lookOn();
  }

  /** Lets go of all that is held. The registry itself is closed too. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#timer?.cancel();
    await this.#options.registry.close();
    await Promise.allSettled(this.#watched.values());
  }

  /** Lets in what is held for a contract that is one of the catalogue's now. */
  async release(service: string, hash: string): Promise<void> {
    for (const [key, { instance, hash: held }] of this.#held)
      if (instance.service === service && held === hash) await this.#letGo(key, instance);
  }

  async #lookOn(): Promise<void> {
    await this.#look().catch((thrown: unknown) => {
      const why = HeddleError.from(thrown).message;
      this.#options.runtime.log('warn', 'a registry cannot be asked for its services', { why });
    });
    if (this.#stopped.signal.aborted) return;
    this.#timer = this.#options.runtime.timers.after(lookMs, () => void this.#lookOn());
  }

  async #look(): Promise<void> {
    const { registry } = this.#options;
    const services = await registry.services();
    if (this.#isFirst) for (const service of services) await this.#first(service);
    this.#isFirst = false;
    for (const service of services)
      if (!this.#watched.has(service)) this.#watched.set(service, this.#watchOn(service));
    for (const [key, held] of this.#held) await this.#askAgain(key, held);
  }

  /** Those that came before: a rolling update under way is not to be judged by which half of it is asked first. */
  async #first(service: string): Promise<void> {
    const { registry, judge, isRefused } = this.#options;
    const { instances } = await registry.instances(service);
    for (const instance of instances) {
      const hash = await judge.refusedHash(instance);
      this.#judged.set(keyOf(instance), stated(instance));
      if (hash !== undefined && isRefused(service, hash)) await this.#hold(instance, hash);
    }
  }

  /** A watch that breaks is told, and begun again at the next look. */
  async #watchOn(service: string): Promise<void> {
    try {
      await this.#watch(service);
    } catch (thrown) {
      const why = HeddleError.from(thrown).message;
      this.#options.runtime.log('warn', 'a guarded service cannot be watched', { service, why });
    }
    this.#watched.delete(service);
  }

  async #watch(service: string): Promise<void> {
    for await (const { instances } of this.#options.registry.watch(service, this.#stopped.signal)) {
      const present = new Set(instances.map(keyOf));
      for (const key of this.#judged.keys())
        if (key.startsWith(`${service} `) && !present.has(key)) this.#judged.delete(key);
      for (const instance of instances) await this.#judgeOne(instance);
    }
  }

  async #judgeOne(instance: Instance): Promise<void> {
    const key = keyOf(instance);
    const isOurs = this.#held.get(key)?.hash === instance.metadata[quarantineKey];
    if ((this.#held.has(key) && isOurs) || this.#judged.get(key) === stated(instance)) return;
    this.#judged.set(key, stated(instance));
    const hash = this.#options.judge.ruled(await this.#options.judge.refusedHash(instance));
    if (hash !== undefined) await this.#hold(instance, hash);
    else if (this.#held.has(key)) await this.#letGo(key, instance);
  }

  async #hold(found: Instance, hash: string): Promise<void> {
    const { lastHeartbeatMs: _, ...kept } = keptOut(found, hash);
    this.#held.set(keyOf(found), { instance: found, hash, missed: 0 });
    const { registered, problem } = await this.#options.registry.register(kept);
    if (registered) return;
    const { service, id } = found;
    this.#options.runtime.log('error', 'an instance that breaks others cannot be kept out yet', {
      service,
      id,
      why: problem?.message,
    });
  }

  async #letGo(key: string, { service, id }: Instance): Promise<void> {
    this.#held.delete(key);
    await this.#options.registry.deregister(service, id).catch((thrown: unknown) => {
      const why = HeddleError.from(thrown).message;
      this.#options.runtime.log('warn', 'an approved instance comes in when its lease ends', {
        service,
        id,
        why,
      });
    });
  }

  /** One that has gone is not to stand there for good, and one that could not be judged is judged when it can be. */
  async #askAgain(key: string, held: Held): Promise<void> {
    const hash = await this.#options.judge.refusedHash(held.instance);
    if (this.#held.get(key) !== held) return;
    if (hash === undefined) {
      await this.#letGo(key, held.instance);
      return;
    }
    held.missed = hash === undecided ? held.missed + 1 : 0;
    if (hash === undecided && held.missed < mostMissed) return;
    if (hash === undecided) await this.#letGo(key, held.instance);
    else if (hash !== held.hash) await this.#hold(held.instance, hash);
  }
}

function keyOf({ service, id }: Instance): string {
  return `${service} ${id}`;
}

/** What is judged: an instance that comes again as another one is another one. */
function stated({ address, port, version, metadata, state }: Instance): string {
  return JSON.stringify([
    address,
    port,
    version,
    state,
    Object.entries(metadata).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}
