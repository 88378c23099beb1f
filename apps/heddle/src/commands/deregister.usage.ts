import type { CommandUsage } from '../command.ts';
import { registryOptions } from '../shared-options.ts';

/** How `heddle deregister` is called. */
export const deregisterUsage: CommandUsage = {
  name: 'deregister',
  summary: 'Take away the entry of an instance that is gone',
  words: '<service> <id>',
  options: registryOptions,
  examples: [
    'heddle deregister billing billing@10.0.0.7:8080',
    'heddle deregister billing b-1 --registry zookeeper://10.0.0.1:2181/services',
  ],
};
