import type { CommandUsage } from '../command.ts';
import { registryOptions } from '../shared-options.ts';

/** How `heddle drain` is called. */
export const drainUsage: CommandUsage = {
  name: 'drain',
  summary: 'Keep an instance out of new calls until told to stop',
  words: '<service> <id>',
  options: {
    for: { type: 'string', value: 'SECONDS', help: 'End after this long; default: when told to stop' },
    ...registryOptions,
  },
  examples: [
    'heddle drain billing billing@10.0.0.7:8080',
    'heddle drain billing b-1 --for 600 --registry nacos',
  ],
};
