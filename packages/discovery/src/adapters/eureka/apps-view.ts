import { type Address, type Clock, HeddleError } from '@heddle/kernel';
import { Applications, type EurekaApplications } from './applications.ts';
import type { EurekaClient } from './eureka-client.ts';

// A server tells of changes for three minutes; after a pause of this length everything is asked for.
const longestGapMs = 60_000;
// Servers count entries by status alone, so a change of metadata that was missed would never be noticed.
const fullAfterMs = 300_000;

/** What a process knows of the whole registry, asked for once for all the services that it watches. */
export class AppsView {
  readonly #client: EurekaClient;
  readonly #clock: Clock;
  readonly #pollMs: number;
  #apps = new Applications();
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #fullAtMs = Number.NEGATIVE_INFINITY;
  #from: Address | undefined;
  #asking: Promise<Applications> | undefined;

  constructor(client: EurekaClient, clock: Clock, pollMs: number) {
    this.#client = client;
    this.#clock = clock;
    this.#pollMs = pollMs;
  }

  /** The registry, not older than the interval; those who ask at one time share the answer. */
  current(): Promise<Applications> {
    if (this.#clock.nowMs() - this.#askedAtMs < this.#pollMs / 2) return Promise.resolve(this.#apps);
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<Applications> {
    const startedMs = this.#clock.nowMs();
    const isDue = startedMs - this.#askedAtMs > longestGapMs || startedMs - this.#fullAtMs > fullAfterMs;
    if (isDue || !(await this.#askForChanges())) {
      this.#apps.replace(await this.#answer('/apps'));
      this.#fullAtMs = startedMs;
    }
    this.#askedAtMs = startedMs;
    return this.#apps;
  }

  async #askForChanges(): Promise<boolean> {
    const before = this.#from;
    try {
      const changes = await this.#answer('/apps/delta');
      // Another server has another past.
      return this.#from === before && this.#apps.apply(changes);
    } catch (thrown) {
      // A server may be set not to tell of changes.
      if (HeddleError.from(thrown).code === 'permission_denied') return false;
      throw thrown;
    }
  }

  async #answer(path: string): Promise<EurekaApplications> {
    const { json, from } = await this.#client.ask('GET', path);
    this.#from = from;
    if (typeof json === 'object' && json !== null && 'applications' in json)
      return json as EurekaApplications;
    const message = `Eureka, GET ${path}: expected applications, found something else; is this a Eureka server?`;
    throw new HeddleError({ code: 'unavailable', reason: 'NOT_A_REGISTRY', message });
  }
}
