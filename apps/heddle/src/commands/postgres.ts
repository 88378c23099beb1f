import { embeddedPostgres } from '@heddle/sql';
import { nodeRuntime } from '@heddle/kernel/node';
import type { Command } from '../command.ts';
import { runServer } from '../node/run-server.ts';
import { postgresUsage } from './postgres.usage.ts';

/** `heddle postgres`: what `up` starts for services that need a database. Tells their URLs to its parent only. */
export const postgres: Command = {
  ...postgresUsage,
  run: async (given, world) => {
    const runtime = nodeRuntime({ name: 'postgres' });
    const folder = given.text('data') ?? '.heddle/postgres';
    const server = embeddedPostgres({ runtime, folder, port: given.port('port', 0) });
    const urls: Record<string, string> = {};
    const databases = {
      name: 'databases',
      start: async () => {
        for (const name of given.words) urls[name] = await server.createDatabase(name);
      },
      stop: () => Promise.resolve(),
    };
    const parts = [server, databases];
    return runServer({ name: 'postgres', runtime, parts, stopMs: 10_000 }, world, () => urls, unlogged);
  },
};

/** The URLs have passwords in them. */
function unlogged(): Readonly<Record<string, string>> {
  return {};
}
