import type { Address, Runtime } from '@heddle/kernel';
import {
  forkSeed,
  SimulatedDisk,
  SimulatedNet,
  SimulatedProcess,
  seededRandom,
  VirtualTime,
} from '@heddle/kernel/simulated';
import { serve } from '@heddle/wire';
import {
  type EmbeddedRegistry,
  type EmbeddedRegistryOptions,
  embeddedRegistry,
} from '../embedded/embedded-registry.ts';
import { registryService } from '../embedded/registry-service.ts';
import type { LeaseClient } from '../registry/lease-client.ts';
import type { Registry } from '../registry/registry.ts';
import { overHttp2 } from '../remote/over-http2.ts';
import { RegistryServers } from '../remote/registry-servers.ts';
import { remoteLeases } from '../remote/remote-leases.ts';
import { type RemoteRegistryOptions, remoteRegistry } from '../remote/remote-registry.ts';

/** One run of a program on a simulated host. */
export interface FleetProcess extends Runtime {
  readonly process: SimulatedProcess;
  /** What it logged, as `level message`. */
  readonly lines: string[];
}

/** Hosts on a simulated network: registry servers and clients, over the real wire, in virtual time under a seed. */
export class Fleet {
  readonly time: VirtualTime = new VirtualTime();
  readonly net: SimulatedNet;
  readonly #seed: number;
  readonly #disks = new Map<string, SimulatedDisk>();
  #starts = 0;

  constructor(seed = 1) {
    this.#seed = seed;
    this.net = new SimulatedNet({ time: this.time, random: seededRandom(forkSeed(seed, 'net')) });
  }

  /** Starts a process on a host, with the disk that the host has had. */
  start(host: string): FleetProcess {
    const process = new SimulatedProcess(this.time);
    const lines: string[] = [];
    return {
      process,
      clock: process.clock,
      timers: process.timers,
      random: seededRandom(forkSeed(this.#seed, `${host} ${this.#starts++}`)),
      net: this.net.attach(host, process),
      disk: this.disk(host).mount(process),
      log: (level, message) => void lines.push(`${level} ${message}`),
      lines,
    };
  }

  disk(host: string): SimulatedDisk {
    let disk = this.#disks.get(host);
    if (disk === undefined) {
      disk = new SimulatedDisk({
        time: this.time,
        random: seededRandom(forkSeed(this.#seed, `disk ${host}`)),
      });
      this.#disks.set(host, disk);
    }
    return disk;
  }

  /** Replaces a host's disk by an empty one. */
  wipe(host: string): void {
    this.#disks.delete(host);
  }

  /** Starts a registry server on a host, at port 80. */
  async serve(
    host: string,
    options?: EmbeddedRegistryOptions,
  ): Promise<{ registry: EmbeddedRegistry; on: FleetProcess }> {
    const on = this.start(host);
    const work = async (): Promise<EmbeddedRegistry> => {
      const made = await embeddedRegistry(on, options);
      await serve(registryService(made), { runtime: on, address: addressOf(host) });
      return made;
    };
    return { registry: await this.time.run(work()), on };
  }

  /** A client on a host, of the servers on others. */
  client(
    host: string,
    servers: readonly string[] = ['registry'],
    options: Partial<RemoteRegistryOptions> = {},
  ): { registry: Registry; on: FleetProcess } {
    return this.clientOn(this.start(host), servers, options);
  }

  /** A client in a process that runs already. */
  clientOn(
    on: FleetProcess,
    servers: readonly string[],
    options: Partial<RemoteRegistryOptions> = {},
  ): { registry: Registry; on: FleetProcess } {
    return { registry: remoteRegistry({ ...options, runtime: on, addresses: servers.map(addressOf) }), on };
  }

  /** Leases at the server on the host `registry`, for a process that does nothing but keep them. */
  leasesOf(on: FleetProcess): LeaseClient {
    const addresses = [addressOf('registry')];
    const reach = overHttp2(on);
    return remoteLeases(
      new RegistryServers({
        runtime: on,
        addresses,
        token: undefined,
        scheme: 'http',
        timeoutMs: 2000,
        reach,
      }),
    );
  }

  /** Lets nothing through between two hosts, in the directions given, or lets it through again. */
  block(from: string, to: string, blocked = true): void {
    this.net.setLink(from, to, { blocked });
  }

  /** Both directions. */
  cut(a: string, b: string, blocked = true): void {
    this.block(a, b, blocked);
    this.block(b, a, blocked);
  }
}

function addressOf(host: string): Address {
  return { host, port: 80 };
}
