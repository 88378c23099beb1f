// The event store on a real PostgreSQL, the embedded one.
import { EventStore } from '@heddle/data/eventstore';
import { sqlPool } from '@heddle/sql';
import { PostgresServer } from '../messaging/postgres.ts';
import { quietRuntime } from '../messaging/stage.ts';
import { type Contract, type ContractResult, resultOf } from '../result.ts';
import { type EventCase, eventCases } from './cases.ts';

const backend = 'postgres';
const parallel = 2;

/** Each case in a database of its own; those that do something to the server run last. */
export const postgresEventStore: Contract = {
  backend,
  run: async () => {
    const server = new PostgresServer();
    try {
      const version = await server.start();
      const results = new Map<EventCase, ContractResult>();
      const runOne = async (one: EventCase): Promise<void> => {
        results.set(one, await resultOf(backend, version, one.name, () => onStage(server, one)));
      };
      const together = eventCases.filter(({ alone }) => alone !== true);
      const worker = async (): Promise<void> => {
        for (let one = together.shift(); one !== undefined; one = together.shift()) await runOne(one);
      };
      await Promise.all(Array.from({ length: parallel }, worker));
      for (const one of eventCases) if (!results.has(one)) await runOne(one);
      return eventCases.flatMap((one) => results.get(one) ?? []);
    } finally {
      await server.stop();
    }
  },
};

async function onStage(server: PostgresServer, one: EventCase): Promise<void> {
  const url = await server.database();
  const pool = sqlPool(url, { runtime: quietRuntime, maxConnections: 8 });
  const store = new EventStore({ runtime: quietRuntime, pool, url });
  try {
    await store.start();
    await one.run({ server, url, pool, store });
  } finally {
    await store.stop();
    await pool.stop();
  }
}
