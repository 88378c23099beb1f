import { embeddedPostgres } from '@heddle/sql';
import { nodeRuntime } from '@heddle/kernel/node';
import type { Command } from '../command.ts';
import { runServer } from '../node/run-server.ts';

/** `heddle postgres`: what `up` starts for services that need a database. Tells their URLs to its parent only. */
export const postgres: Command = {
  name: 'postgres',
  summary: 'Run an embedded PostgreSQL with one database for each name',
  words: '<name>...',
  options: {
    port: { type: 'string', value: 'PORT', help: 'Where to listen on 127.0.0.1; default 0: any free one' },
    data: { type: 'string', value: 'DIR', help: 'Where its files are kept; default .heddle/postgres' },
  },
  examples: ['heddle postgres --data .heddle/postgres order payment'],
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
