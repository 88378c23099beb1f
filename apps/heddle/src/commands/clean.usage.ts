import type { CommandUsage } from '../command.ts';

/** How `heddle clean` is called. */
export const cleanUsage: CommandUsage = {
  name: 'clean',
  summary: 'Delete what a stopped "heddle up" has left: its database, registry and logs',
  words: '',
  options: {
    data: { type: 'string', value: 'DIR', help: 'The data folder that it was started with; default .heddle' },
  },
  examples: ['heddle clean', 'heddle clean --data /tmp/shop'],
};
