// The life of a real server under a suite: started once, killed and restarted at its address with its data.
import { rmSync } from 'node:fs';
import type { BrokerFaults } from '@heddle/messaging/testing';
import { dataFolder } from '../../engines/cache.ts';
import {
  type Engine,
  isMissing,
  type Missing,
  obtain,
  type Place,
  type Running,
} from '../../engines/engine.ts';
import { freePlace } from '../../engines/running.ts';

/** A server that can be killed. */
export class MortalServer<Options> {
  readonly #engine: Engine<Options & { readonly address?: Place; readonly folder?: string }>;
  readonly #options: Options;
  #folder: string | undefined;
  #address: Place | undefined;
  #running: Running | undefined;
  #stages = 0;

  constructor(
    engine: Engine<Options & { readonly address?: Place; readonly folder?: string }>,
    options: Options,
  ) {
    this.#engine = engine;
    this.#options = options;
  }

  get address(): Place {
    if (this.#address === undefined) throw new Error(`${this.#engine.name} has not been started`);
    return this.#address;
  }

  /** A name that no other stage has. */
  stageName(): string {
    this.#stages += 1;
    return `s${this.#stages}`;
  }

  async start(): Promise<{ readonly version: string } | Missing> {
    const found = await obtain(this.#engine);
    if (isMissing(found)) return found;
    this.#folder = dataFolder(this.#engine.name);
    this.#address = await freePlace();
    await this.#launch();
    return { version: found.version };
  }

  readonly faults: BrokerFaults = {
    kill: async () => {
      if (this.#running !== undefined) process.kill(this.#running.pid, 'SIGKILL');
    },
    restart: async () => {
      await this.#running?.stop();
      await this.#launch();
    },
  };

  /** Sends the running server a signal, such as SIGSTOP. */
  signal(name: NodeJS.Signals): void {
    if (this.#running !== undefined) process.kill(this.#running.pid, name);
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  async #launch(): Promise<void> {
    this.#running = await this.#engine.start({
      ...this.#options,
      address: this.address,
      folder: this.#folder as string,
    });
  }
}
