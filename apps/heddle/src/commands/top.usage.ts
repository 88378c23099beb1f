import type { CommandUsage } from '../command.ts';
import { planeOptions } from '../shared-options.ts';

/** How `heddle top` is called. */
export const topUsage: CommandUsage = {
  name: 'top',
  summary:
    'Show the services and the calls between them: rate, errors, latency, memory, CPU; again every 2 s',
  words: '',
  options: {
    once: { type: 'boolean', help: 'Once, and end' },
    for: { type: 'string', value: 'SECONDS', help: 'End after so long; default: when told to' },
    ...planeOptions,
  },
  examples: ['heddle top', 'heddle top --once --json'],
};
