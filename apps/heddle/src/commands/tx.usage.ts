import type { CommandUsage } from '../command.ts';

/** How `heddle tx` is called. */
export const txUsage: CommandUsage = {
  name: 'tx',
  summary: 'List transactions in doubt, and settle prepared branches as their log says',
  words: 'list|settle',
  options: {
    database: {
      type: 'string',
      value: 'URL',
      help: 'With the log of decisions; default HEDDLE_DATABASE_URL',
    },
    participant: {
      type: 'string',
      value: 'URL',
      help: 'A PostgreSQL that takes part; default the same as the log',
    },
    json: { type: 'boolean', help: 'As JSON' },
  },
  examples: [
    'heddle tx list --database postgres://…/log --participant postgres://…/orders',
    'heddle tx settle --database postgres://…/log --participant postgres://…/orders',
  ],
};
