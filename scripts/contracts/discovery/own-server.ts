// What the stages of backends with a server of their own have in common: one that is broken, and others beside it.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Registry } from '@heddle/discovery';
import type { RegistryDoor, RegistryFaults } from '@heddle/discovery/testing';
import { nodeRuntime } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import type { EndpointTls } from '@heddle/wire';
import { dataFolder } from '../../engines/cache.ts';
import type { Place, Running } from '../../engines/engine.ts';
import { freePort } from '../../engines/running.ts';

/** How a server is started; see the engine's own options. */
interface ServerOptions {
  readonly address?: Place;
  readonly folder?: string;
}

/** An engine whose data can outlive it. */
interface Starter<O extends ServerOptions> {
  readonly name: string;
  start(options: O): Promise<Running>;
}

/** A server at one address, which can be killed and comes back with what it had or with nothing. */
export class OwnServer<O extends ServerOptions> {
  /** For whatever the stage needs on disk; it goes with it. */
  readonly folder: string;
  readonly address: Place;
  readonly #engine: Starter<O>;
  readonly #others: Running[] = [];
  #lives = 0;
  #running: Running | undefined;

  private constructor(engine: Starter<O>, address: Place) {
    this.#engine = engine;
    this.address = address;
    this.folder = dataFolder(`${engine.name}-case`);
  }

  static async start<O extends ServerOptions>(engine: Starter<O>): Promise<OwnServer<O>> {
    const server = new OwnServer(engine, { host: '127.0.0.1', port: await freePort() });
    await server.faults.restartEmpty();
    return server;
  }

  /** For a stage. */
  readonly faults: Required<Pick<RegistryFaults, 'kill' | 'restart' | 'restartEmpty'>> = {
    kill: async () => {
      const running = this.#running;
      this.#running = undefined;
      if (running === undefined) return;
      process.kill(running.pid, 'SIGKILL');
      await running.stop();
    },
    restart: async () => {
      const folder = path.join(this.folder, `data-${this.#lives}`);
      this.#running = await this.#engine.start({ address: this.address, folder } as O);
    },
    restartEmpty: async () => {
      this.#lives += 1;
      await this.faults.restart();
    },
  };

  /** Another server, which ends with this one. */
  async beside(options: O): Promise<Place> {
    const other = await this.#engine.start(options);
    this.#others.push(other);
    return other.address;
  }

  /** A door at `::1`. */
  async ipv6Door(open: (address: Place) => Registry): Promise<RegistryDoor> {
    const address = await this.beside({ address: { host: '::1', port: await freePort() } } as O);
    return { right: async () => open(address), wrong: async () => ({}) };
  }

  async end(): Promise<void> {
    await this.faults.kill();
    await Promise.all(this.#others.map((other) => other.stop()));
    rmSync(this.folder, { recursive: true });
  }
}

/** What a door with certificates is made of. */
export interface CertificateDoor {
  /** Where the server's files may lie. */
  readonly folder: string;
  /** Names in its certificate, beside its address. */
  readonly dnsNames?: readonly string[];
  /** Starts a server that wants certificates of its clients. */
  readonly start: (files: {
    readonly cert: string;
    readonly key: string;
    readonly ca: string;
  }) => Promise<Place>;
  readonly open: (address: Place, tls?: EndpointTls) => Registry;
}

/** A server that wants certificates of its clients. */
export async function certificateDoor(options: CertificateDoor): Promise<RegistryDoor> {
  const { folder, dnsNames = [], start, open } = options;
  const nowMs = nodeRuntime({ name: 'authority' }).clock.wallMs();
  const [authority, stranger] = [new TestAuthority('server', nowMs), new TestAuthority('stranger', nowMs)];
  const server = authority.issue({ addresses: ['127.0.0.1'], dnsNames });
  const client = authority.issue({ subject: 'heddle' });
  const write = (name: string, content: string): string => {
    const file = path.join(folder, name);
    writeFileSync(file, content);
    return file;
  };
  const address = await start({
    cert: write('cert', server.certificates),
    key: write('key', server.privateKey),
    ca: write('ca', authority.certificate),
  });
  const trusting = (trust: string, identities: (typeof client)[]): Registry =>
    open(address, { source: { current: { trust, identities } } });
  return {
    right: async () => trusting(authority.certificate, [client]),
    wrong: async () => ({
      'no trust in the server': trusting(stranger.certificate, [client]),
      'no certificate': trusting(authority.certificate, []),
      'a certificate of another authority': trusting(authority.certificate, [
        stranger.issue({ subject: 'heddle' }),
      ]),
      'no TLS': open(address),
    }),
  };
}
