import type { Registry } from '@heddle/discovery';
import type { Runtime } from '@heddle/kernel';
import type { Host, World } from '@heddle/sim';
import type { HttpService } from '@heddle/wire';
import { type RunningClient, runClient } from './client-program.ts';
import type { FleetInstance } from './fleet-instance.ts';
import { Ledger } from './ledger.ts';
import { Reach } from './reach.ts';
import { registryAddress, runRegistry } from './registry-program.ts';
import { runService } from './service-program.ts';

/** Bugs that a test plants to see whether the scenario finds them. None by default. */
export interface Planted {
  readonly serviceRegistry?: (registry: Registry, runtime: Runtime) => Registry;
  readonly clientRegistry?: (registry: Registry, runtime: Runtime) => Registry;
  readonly client?: (client: HttpService) => HttpService;
  readonly registryRuntime?: (runtime: Runtime) => Runtime;
}

/** Of each lease. */
export const ttlMs = 5000;
const services = ['order', 'payment', 'stock'];
const instancesEach = 2;
const clientNames = ['client-1', 'client-2'];

/** A registry, three services of two instances each, and two clients that call them. */
export class Fleet {
  readonly ledger: Ledger = new Ledger();
  readonly registry: Host;
  readonly instances: readonly FleetInstance[];
  readonly clients: Map<string, RunningClient> = new Map();
  readonly #world: World;
  readonly #stops = new Map<string, () => Promise<void>>();

  constructor(world: World, planted: Planted = {}) {
    this.#world = world;
    this.registry = world.host(registryAddress.host);
    this.registry.run((runtime) =>
      this.#keep('registry', runRegistry(planted.registryRuntime?.(runtime) ?? runtime, ttlMs)),
    );
    this.instances = services.flatMap((service) =>
      Array.from({ length: instancesEach }, (_, index) => this.#startService(service, index + 1, planted)),
    );
    for (const name of clientNames) this.#startClient(name, planted);
    world.check('a change is carried out at most once', () => this.ledger.checkAtMostOnce());
    const reach = new Reach(world, this.instances, this.clients);
    this.ledger.excuse(({ client, service, startMs }) => !reach.hadHealthy(client, service, startMs));
    world.check('even in the storm, a read finds an instance that is healthy all along', () => {
      reach.look();
      this.ledger.checkExcused();
    });
    world.check('an answer is of somebody who did the work', () => this.ledger.checkDone());
  }

  /** Names of all hosts. */
  get names(): readonly string[] {
    return [registryAddress.host, ...this.instances.map(({ host }) => host.name), ...clientNames];
  }

  /** Whether every client knows of exactly the instances that run. */
  get converged(): boolean {
    return services.every((service) => {
      const running = this.instances.filter((each) => each.service === service && each.host.running);
      const expected = running.map(({ host }) => host.name).join();
      return [...this.clients.values()].every((client) => client.seen(service)?.join() === expected);
    });
  }

  /** What the clients see, for the message when they should see something else. */
  get views(): string {
    const view = (client: RunningClient): string =>
      services.map((service) => client.seen(service)?.join()).join(' ');
    return [...this.clients].map(([name, client]) => `${name} sees ${view(client)}`).join('; ');
  }

  /** Whether any client would still call that host. */
  seenByAny({ service, host }: FleetInstance): boolean {
    return [...this.clients.values()].some((client) => client.seen(service)?.includes(host.name) === true);
  }

  /** Shuts all down as operators would: callers first, the registry last. Fails the world if it takes long. */
  async stop(): Promise<void> {
    for (const name of [
      ...clientNames,
      ...this.instances.map(({ host }) => host.name),
      registryAddress.host,
    ]) {
      let done = false;
      void this.#stops
        .get(name)?.()
        .then(() => {
          done = true;
        });
      await this.#world.runUntil(`${name} stops`, 30_000, () => done);
    }
  }

  async #keep(name: string, starting: Promise<() => Promise<void>>): Promise<void> {
    this.#stops.set(name, await starting);
  }

  #startService(service: string, number: number, planted: Planted): FleetInstance {
    const host = this.#world.host(`${service}-${number}`);
    const { serviceRegistry } = planted;
    host.run((runtime) => {
      const base = { service, host: host.name, ttlMs, ledger: this.ledger };
      const options =
        serviceRegistry === undefined
          ? base
          : { ...base, disguise: (registry: Registry) => serviceRegistry(registry, runtime) };
      return this.#keep(host.name, runService(runtime, options));
    });
    return { service, host };
  }

  #startClient(name: string, planted: Planted): void {
    const { clientRegistry, client: disguiseClient } = planted;
    this.#world.host(name).run((runtime) => {
      const client = runClient(runtime, {
        host: name,
        services,
        ledger: this.ledger,
        everyMs: 100,
        deadlineMs: 2000,
        ...(disguiseClient === undefined ? {} : { disguiseClient }),
        ...(clientRegistry === undefined
          ? {}
          : { disguiseRegistry: (registry: Registry) => clientRegistry(registry, runtime) }),
      });
      this.clients.set(name, client);
      this.#stops.set(name, () => client.stop());
    });
  }
}
