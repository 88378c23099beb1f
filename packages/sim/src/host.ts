import type { Log, Runtime } from '@heddle/kernel';
import {
  type Death,
  type DiskOperation,
  forkSeed,
  SimulatedDisk,
  type SimulatedNet,
  SimulatedProcess,
  seededRandom,
  type VirtualTime,
} from '@heddle/kernel/simulated';

/** What runs on a host. Started again after each restart, with the disk as it is then. */
export type Program = (runtime: Runtime) => Promise<void> | void;

/** What a host needs of its world. */
export interface HostWorld {
  readonly seed: number;
  readonly time: VirtualTime;
  readonly net: SimulatedNet;
  record(where: string, what: string): void;
  mistake(where: string, thrown: unknown): void;
}

/** A machine of a world: a name on the network, a disk, and one program at a time. */
export class Host {
  readonly name: string;
  /** Outlives crashes. Its capacity and slowness may be changed at any time. */
  readonly disk: SimulatedDisk;
  readonly #world: HostWorld;
  #program: Program | undefined;
  #process: SimulatedProcess | undefined;
  #starts = 0;
  #wallOffsetMs = 0;
  #crashAfter: number | undefined;

  /** Made by `World.host`. */
  constructor(name: string, world: HostWorld) {
    this.name = name;
    this.#world = world;
    this.disk = new SimulatedDisk({
      time: world.time,
      random: seededRandom(forkSeed(world.seed, `disk of ${name}`)),
      observe: (operation, path) => this.#diskUsed(operation, path),
    });
  }

  /** Whether its program is there; also while paused. */
  get running(): boolean {
    return this.#process?.alive === true;
  }

  /** Whether its program stands still. */
  get paused(): boolean {
    return this.#process?.paused === true;
  }

  /** How often its program was started. */
  get starts(): number {
    return this.#starts;
  }

  /** Starts a program, at the next event. The host must not be running one. */
  run(program: Program): void {
    if (this.running) throw new Error(`host ${this.name} runs a program already; kill or crash it first`);
    this.#program = program;
    this.#start(program);
  }

  /** Stops the program where it is, as SIGSTOP; its timers that fall due wait. With a time, it wakes up by itself. */
  pause(forMs?: number): void {
    const process = this.#process;
    if (process === undefined || !process.alive || process.paused) return;
    this.#record('pause');
    process.pause();
    if (forMs !== undefined) this.#world.time.timers.after(forMs, () => this.#resume(process));
  }

  /** Lets it go on. */
  resume(): void {
    if (this.#process !== undefined) this.#resume(this.#process);
  }

  /** Ends the program, as SIGKILL: its sockets are closed by the system, what it wrote stays written. */
  kill(): void {
    this.#end('killed');
  }

  /** Takes the power away: nobody is told, and what was not synced may be lost or torn. */
  crash(): void {
    this.#end('power');
  }

  /** Takes the power away in the middle of one of the next disk operations: of the `count`-th from now; `Infinity`: not. */
  crashAtDiskOperation(count: number): void {
    this.#crashAfter = count;
  }

  /** Starts its program again, if it does not run. */
  restart(): void {
    if (!this.running && this.#program !== undefined) this.#start(this.#program);
  }

  /** Sets its time of day forward or back, for good. */
  clockJump(byMs: number): void {
    this.#record(`clock jumps by ${byMs} ms`);
    this.#wallOffsetMs += byMs;
    this.#process?.jumpWall(byMs);
  }

  #start(program: Program): void {
    const { time, net, seed } = this.#world;
    this.#starts++;
    this.#record(this.#starts === 1 ? 'start' : `start number ${this.#starts}`);
    const process = new SimulatedProcess(time, { onUncaught: (thrown) => this.#mistake(process, thrown) });
    this.#process = process;
    process.jumpWall(this.#wallOffsetMs);
    const runtime: Runtime = {
      clock: process.clock,
      timers: process.timers,
      random: seededRandom(forkSeed(seed, `${this.name}, start ${this.#starts}`)),
      net: net.attach(this.name, process),
      disk: this.disk.mount(process),
      log: this.#log(process),
    };
    process.timers.soon(() => {
      void runProgram(program, runtime).catch((thrown: unknown) => this.#mistake(process, thrown));
    });
  }

  #resume(process: SimulatedProcess): void {
    if (!process.paused) return;
    this.#record('resume');
    process.resume();
  }

  #end(death: Death): void {
    const process = this.#process;
    if (process === undefined || !process.alive) return;
    this.#record(death === 'power' ? 'crash' : 'kill');
    this.#crashAfter = undefined;
    process.end(death);
  }

  #diskUsed(operation: DiskOperation, path: string): void {
    this.#record(`disk ${operation} ${path}`);
    if (this.#crashAfter === undefined || --this.#crashAfter > 0) return;
    // Not from within the program's own call: power fails between instructions, not in one.
    const process = this.#process;
    this.#crashAfter = undefined;
    this.#world.time.timers.soon(() => {
      if (process === this.#process) this.crash();
    });
  }

  #log(process: SimulatedProcess): Log {
    return (level, message, fields) => {
      if (process.alive)
        this.#record(`${level}: ${message}${fields === undefined ? '' : ` ${shown(fields)}`}`);
    };
  }

  #mistake(process: SimulatedProcess, thrown: unknown): void {
    if (process.alive) this.#world.mistake(this.name, thrown);
  }

  #record(what: string): void {
    this.#world.record(this.name, what);
  }
}

async function runProgram(program: Program, runtime: Runtime): Promise<void> {
  await program(runtime);
}

/** Errors by their text: their stacks name lines of code, which are nobody's business in a transcript. */
function shown(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(fields, (_key, value: unknown) => {
    if (value instanceof Error) return value.message;
    return typeof value === 'bigint' ? String(value) : value;
  });
}
