import type { LinkConditions } from '@heddle/kernel/simulated';
import type { World } from '@heddle/sim';
import type { RunningClient } from './client-program.ts';
import type { FleetInstance } from './fleet-instance.ts';

// Connections that a fault has left behind stall until TCP has sent again what was lost: 200 ms, doubled each time.
const recoveryMs = 10_000;
const slowMs = 10;

/**
 * Which instances each client could have reached all along: running, not paused, over a good link, and known to the
 * client. Looks as often as it is asked to.
 */
export class Reach {
  readonly #world: World;
  readonly #instances: readonly FleetInstance[];
  readonly #clients: ReadonlyMap<string, RunningClient>;
  readonly #goodSinceMs = new Map<string, number>();

  constructor(
    world: World,
    instances: readonly FleetInstance[],
    clients: ReadonlyMap<string, RunningClient>,
  ) {
    this.#world = world;
    this.#instances = instances;
    this.#clients = clients;
  }

  /** Notes what is good now, and since when. */
  look(): void {
    for (const [name, client] of this.#clients) {
      for (const instance of this.#instances) {
        const pair = `${name} ${instance.host.name}`;
        if (!this.#isGood(name, client, instance)) this.#goodSinceMs.delete(pair);
        else if (!this.#goodSinceMs.has(pair)) this.#goodSinceMs.set(pair, this.#world.nowMs);
      }
    }
  }

  /** Whether one instance of the service has been good for that client from well before `sinceMs` until now. */
  hadHealthy(client: string, service: string, sinceMs: number): boolean {
    return this.#instances.some((instance) => {
      const goodSinceMs = this.#goodSinceMs.get(`${client} ${instance.host.name}`);
      return instance.service === service && goodSinceMs !== undefined && goodSinceMs + recoveryMs < sinceMs;
    });
  }

  #isGood(name: string, client: RunningClient, { service, host }: FleetInstance): boolean {
    const { network } = this.#world;
    const ways = [network.conditions(name, host.name), network.conditions(host.name, name)];
    if (!host.running || host.paused || !ways.every(isGoodLink)) return false;
    return client.seen(service)?.includes(host.name) === true;
  }
}

function isGoodLink({ blocked, loss, latencyMs }: LinkConditions): boolean {
  return !blocked && loss === 0 && latencyMs < slowMs;
}
