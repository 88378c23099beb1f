import { HeddleError, sleep } from '@heddle/kernel';
import type { Host, World } from '@heddle/sim';

/**
 * Durable things of a simulated world: they outlive the hosts that write to them. A write takes time, can fail although
 * it was done, and its writer can be killed just before it or just after.
 */
export class Durable {
  readonly #world: World;
  readonly #cut = new Set<Host>();
  #stormy = true;
  writes = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** From now on nothing goes wrong any more. */
  calm(): void {
    this.#stormy = false;
  }

  /** Cuts one of the hosts after the other off from all durable things and other places, for up to 2 s, again and again. */
  cutOff(hosts: readonly Host[], untilMs: number): void {
    const { random } = this.#world;
    for (let atMs = random.float() * 1000; atMs < untilMs; atMs += 100 + random.float() * 1500) {
      const host = hosts[random.uint32() % hosts.length] as Host;
      this.#world.at(atMs, () => this.#cut.add(host));
      this.#world.at(atMs + random.float() * 2000, () => this.#cut.delete(host));
    }
  }

  /** One durable write by a host. `work` is done at one moment, or not at all. */
  async write<T>(host: Host, work: () => T): Promise<T> {
    const { random } = this.#world;
    this.writes += 1;
    await this.#pass(host);
    this.#killPerhaps(host, 0.03);
    if (!host.running) return new Promise(() => {});
    const value = work();
    this.#killPerhaps(host, 0.03);
    if (!host.running) return new Promise(() => {});
    // Cut off from here on, it does not hear that it was done.
    await this.#pass(host, 'unknown');
    if (this.#stormy && random.float() < 0.03) throw lost('COMMIT_UNKNOWN', 'unknown');
    return value;
  }

  /** A message to another place and its answer: lost on the way, or carried out twice, or only its answer lost. */
  async exchange<T>(host: Host, work: () => T): Promise<T> {
    const { random } = this.#world;
    await this.#pass(host);
    if (this.#stormy && random.float() < 0.05) throw lost('LOST', 'unavailable');
    const value = work();
    if (this.#stormy && random.float() < 0.1) {
      // Once more, and perhaps long after whoever sent it has given up.
      const world = this.#world;
      world.after(random.float() < 0.5 ? 1 : random.float() * 3000, () => {
        try {
          work();
        } catch {
          // Its answer has nobody to go to.
        }
      });
    }
    await this.#pass(host);
    if (this.#stormy && random.float() < 0.05) throw lost('ANSWER_LOST', 'unavailable');
    return value;
  }

  /** A time in which others do things. Whoever is cut off after it waits a while in vain. */
  async #pass(host: Host, code: 'unknown' | 'unavailable' = 'unavailable'): Promise<void> {
    const { random, time } = this.#world;
    await sleep(
      time.timers,
      this.#stormy && random.float() < 0.05 ? 1500 * random.float() : 1 + 4 * random.float(),
    );
    if (this.#cut.has(host)) {
      await sleep(time.timers, 100);
      throw lost('CUT_OFF', code);
    }
    if (!host.running) await new Promise(() => {});
  }

  #killPerhaps(host: Host, chance: number): void {
    if (!this.#stormy || this.#world.random.float() >= chance) return;
    host.crash();
    this.#world.after(50 + 1500 * this.#world.random.float(), () => {
      if (!host.running) host.restart();
    });
  }
}

function lost(reason: string, code: 'unknown' | 'unavailable'): HeddleError {
  return new HeddleError({ code, reason, message: 'lost on the way' });
}
