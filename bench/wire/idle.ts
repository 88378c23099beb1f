// What a connection costs on which nothing happens.
import type { Running } from '../../scripts/engines/engine.ts';
import type { Peer } from '../../scripts/engines/peer.ts';
import { median } from '../measure.ts';
import { type Contender, coreOfLoad, startSubject } from './contender.ts';
import { residentKib } from './process-cost.ts';
import type { Absence } from './rounds.ts';
import { idleServers } from './work.ts';

/** Resident KiB per connection of each who could be had. */
export interface IdleOutcome {
  readonly kib: ReadonlyMap<string, number>;
  readonly absent: readonly Absence[];
}

/** Holds `connections` on a fresh server, `rounds` times. */
export async function idleConnections(connections: number, rounds: number): Promise<IdleOutcome> {
  const samples = new Map<string, number[]>();
  const absent: Absence[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const contender of idleServers) {
      const missing = await contender.missing();
      if (missing === undefined) {
        const all = samples.get(contender.name) ?? [];
        samples.set(contender.name, [...all, await hold(contender, connections)]);
      } else if (round === 0) absent.push({ name: contender.name, reason: missing });
    }
  }
  return { kib: new Map([...samples].map(([name, values]) => [name, median(values)])), absent };
}

async function hold(contender: Contender, connections: number): Promise<number> {
  const server = await contender.start({ host: '127.0.0.1', port: 1 });
  try {
    const { host, port } = server.address;
    const client = await startSubject('idle-client.ts', [`${host}:${port}`], coreOfLoad());
    try {
      // The first connections pay for what is made once.
      await client.ask('open 100');
      const before = await resident(contender, server);
      const said = await client.ask(`open ${connections}`);
      if (said !== `open ${connections + 100}`) throw new Error(`the client says “${said}”`);
      return ((await resident(contender, server)) - before) / connections;
    } finally {
      await client.stop();
    }
  } finally {
    await server.stop();
  }
}

/** Subjects of ours throw garbage away first, so that memory is compared and not its collection. */
async function resident(contender: Contender, server: Running): Promise<number> {
  if (contender.collects) await (server as Peer).ask('gc');
  return residentKib(server.pid);
}
