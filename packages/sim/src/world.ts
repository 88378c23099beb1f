import type { Random } from '@heddle/kernel';
import { forkSeed, type NetEvent, SimulatedNet, seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import { SimulationFailure } from './failure.ts';
import { Host } from './host.ts';
import { WorldNetwork } from './network.ts';
import { bytesDigest, Transcript } from './transcript.ts';

/** What a world is made from. */
export interface SimulateOptions {
  /** Any 32-bit number. All chance comes from it. */
  readonly seed: number;
  /** The name under which a failure can be seen again. Default `simulation`. */
  readonly scenario?: string;
}

/** Makes a world in which nothing has happened yet. */
export function simulate(options: SimulateOptions): World {
  return new World(options.seed, options.scenario ?? 'simulation');
}

interface Promised {
  readonly name: string;
  readonly byMs: number;
  readonly condition: () => boolean;
}

// Often enough to catch what is wrong for a moment, seldom enough to cost nothing.
const checkEveryMs = 20;
const tailLines = 40;

/**
 * Hosts, a network between them and a clock, all in this process and under one seed. Nothing moves but in `run` and
 * `runUntil`. What is promised is stated by `check` (always) and `eventually` (in time); the first breach throws a
 * `SimulationFailure` out of them.
 */
export class World {
  readonly seed: number;
  readonly scenario: string;
  readonly time: VirtualTime = new VirtualTime();
  /** Chance for the scenario itself. */
  readonly random: Random;
  readonly network: WorldNetwork;
  readonly transcript: Transcript;
  readonly #net: SimulatedNet;
  readonly #hosts = new Map<string, Host>();
  readonly #checks: { readonly name: string; readonly check: () => void }[] = [];
  #promised: Promised[] = [];
  #failure: SimulationFailure | undefined;

  /** Made by `simulate`. */
  constructor(seed: number, scenario: string) {
    this.seed = seed;
    this.scenario = scenario;
    this.random = seededRandom(forkSeed(seed, 'scenario'));
    this.transcript = new Transcript(() => this.nowMs);
    this.#net = new SimulatedNet({
      time: this.time,
      random: seededRandom(forkSeed(seed, 'network')),
      observe: (event) => this.transcript.record(event.host, shownEvent(event)),
    });
    this.network = new WorldNetwork(this.#net, (what) => this.note(what));
  }

  /** Milliseconds since the world began. */
  get nowMs(): number {
    return this.time.clock.nowMs();
  }

  /** The host of that name; made on first use. */
  host(name: string): Host {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const host = new Host(name, {
      seed: this.seed,
      time: this.time,
      net: this.#net,
      record: (where, what) => this.transcript.record(where, what),
      mistake: (where, thrown) => this.mistake(where, thrown),
    });
    this.#hosts.set(name, host);
    return host;
  }

  /** All hosts, in the order in which they were made. */
  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  /** Does something at a time counted from the beginning; at once if that is past. */
  at(atMs: number, action: () => void): void {
    this.after(Math.max(0, atMs - this.nowMs), action);
  }

  /** Does something later. */
  after(delayMs: number, action: () => void): void {
    this.time.timers.after(delayMs, () => {
      try {
        action();
      } catch (thrown) {
        this.mistake('world', thrown);
      }
    });
  }

  /** Writes a line into the transcript. */
  note(what: string): void {
    this.transcript.record('world', what);
  }

  /** Something that must hold at all times: `check` throws when it does not. Asked every 20 simulated ms. */
  check(name: string, check: () => void): void {
    this.#checks.push({ name, check });
  }

  /** Something that must come true within `withinMs` from now. It need not stay true. */
  eventually(name: string, withinMs: number, condition: () => boolean): void {
    this.#promised.push({ name, byMs: this.nowMs + withinMs, condition });
  }

  /** States that something is wrong. The first statement is the one that `run` throws. */
  fail(what: string, why: string, cause?: unknown): void {
    if (this.#failure !== undefined) return;
    const { scenario, seed, nowMs: atMs } = this;
    this.note(`FAILED ${what}: ${why}`);
    this.#failure = new SimulationFailure({
      scenario,
      seed,
      atMs,
      what,
      why,
      tail: this.transcript.tail(tailLines),
      cause,
    });
  }

  /** For what runs programs: one threw what nobody caught, which ends a real process. */
  mistake(where: string, thrown: unknown): void {
    this.fail(where, thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown), thrown);
  }

  /** Lets `forMs` simulated milliseconds pass. Throws the `SimulationFailure` if something goes wrong in them. */
  async run(forMs: number): Promise<void> {
    const untilMs = this.nowMs + forMs;
    while (this.nowMs < untilMs) await this.#step(untilMs);
    this.#throwFailure();
  }

  /** Lets time pass until `condition` holds. Fails under `name` if it has not within `limitMs`. */
  async runUntil(name: string, limitMs: number, condition: () => boolean): Promise<void> {
    const untilMs = this.nowMs + limitMs;
    await this.#step(this.nowMs);
    while (!condition()) {
      if (this.nowMs >= untilMs) this.fail(name, `not within ${limitMs} ms`);
      await this.#step(untilMs);
    }
  }

  /** Ends all programs. Promises of `eventually` that are still open are broken then. */
  async end(): Promise<void> {
    for (const { name } of this.#promised) this.fail(name, 'had not come true when the world ended');
    this.#throwFailure();
    for (const host of this.hosts) host.kill();
    await this.time.advance(0);
  }

  async #step(untilMs: number): Promise<void> {
    await this.time.advance(Math.max(0, Math.min(checkEveryMs, untilMs - this.nowMs)));
    this.#ask();
    this.#throwFailure();
  }

  #ask(): void {
    for (const { name, check } of this.#checks) {
      try {
        check();
      } catch (thrown) {
        this.fail(name, thrown instanceof Error ? thrown.message : String(thrown), thrown);
      }
    }
    const open = this.#promised.filter(({ condition }) => !condition());
    for (const { name, byMs } of open) if (this.nowMs > byMs) this.fail(name, `not by ${byMs.toFixed(0)} ms`);
    this.#promised = open;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function shownEvent({ what, connection, bytes }: NetEvent): string {
  const size = bytes === undefined ? '' : ` ${bytes.byteLength} bytes #${bytesDigest(bytes)}`;
  return `${what} ${connection}${size}`;
}
