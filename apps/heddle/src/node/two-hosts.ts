import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { HeddleError } from '@heddle/kernel';

/** One of two hosts, which are network namespaces of this machine. */
export interface NamespaceHost {
  readonly address: string;
  /** The command that runs another there. */
  readonly exec: readonly string[];
}

/** What a program has said. */
export interface Said {
  readonly code: number | null;
  readonly output: string;
}

/** For tests: two hosts with a cable between them, whose programs ask a name server on loopback. */
export class TwoHosts {
  readonly one: NamespaceHost;
  readonly other: NamespaceHost;
  readonly #names: readonly string[];

  /** Throws `failed_precondition` / `NO_NAMESPACES` where this machine makes none, with its reason. */
  constructor() {
    const id = process.pid % 200;
    this.#names = ['a', 'b'].map((end) => `heddle-${process.pid}-${end}`);
    const host = (at: number): NamespaceHost => ({
      address: `10.213.${id}.${at + 1}`,
      exec: ['ip', 'netns', 'exec', this.#names[at] ?? ''],
    });
    [this.one, this.other] = [host(0), host(1)];
    const ends = [`hv${process.pid}a`, `hv${process.pid}b`];
    try {
      for (const name of this.#names) {
        ip('netns', 'add', name);
        mkdirSync(`/etc/netns/${name}`, { recursive: true });
        writeFileSync(`/etc/netns/${name}/resolv.conf`, 'nameserver 127.0.0.1\n');
      }
      ip('link', 'add', ends[0] as string, 'type', 'veth', 'peer', 'name', ends[1] as string);
      for (const [at, name] of this.#names.entries()) {
        const end = ends[at] as string;
        ip('link', 'set', end, 'netns', name);
        ip('-n', name, 'addr', 'add', `10.213.${id}.${at + 1}/24`, 'dev', end);
        ip('-n', name, 'link', 'set', end, 'up');
        ip('-n', name, 'link', 'set', 'lo', 'up');
      }
    } catch (thrown) {
      this.close();
      const message = `network namespaces cannot be made here: ${String(thrown).split('\n', 1)[0]}`;
      throw new HeddleError({ code: 'failed_precondition', reason: 'NO_NAMESPACES', message });
    }
  }

  /** Runs a program to its end on one of them. */
  run(host: NamespaceHost, ...command: readonly string[]): Promise<Said> {
    const [program = '', ...args] = [...host.exec, ...command];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 });
    let output = '';
    const take = (chunk: Buffer): void => void (output += chunk.toString());
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
  }

  close(): void {
    for (const name of this.#names) {
      try {
        // The cable goes with its ends.
        ip('netns', 'del', name);
      } catch {
        // It was not made.
      }
      rmSync(`/etc/netns/${name}`, { recursive: true, force: true });
    }
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
