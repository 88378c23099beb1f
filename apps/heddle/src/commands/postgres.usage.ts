import type { CommandUsage } from '../command.ts';

/** How `heddle postgres` is called. */
export const postgresUsage: CommandUsage = {
  name: 'postgres',
  summary: 'Run an embedded PostgreSQL with one database for each name',
  words: '<name>...',
  options: {
    port: { type: 'string', value: 'PORT', help: 'Where to listen on 127.0.0.1; default 0: any free one' },
    data: { type: 'string', value: 'DIR', help: 'Where its files are kept; default .heddle/postgres' },
  },
  examples: ['heddle postgres --data .heddle/postgres order payment'],
};
