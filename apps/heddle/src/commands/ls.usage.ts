import type { CommandUsage } from '../command.ts';
import { registryOptions } from '../shared-options.ts';

/** How `heddle ls` is called. */
export const lsUsage: CommandUsage = {
  name: 'ls',
  summary: 'List what is registered, or the proxies of the mesh and what each has acknowledged',
  words: 'services|instances|proxies [service]',
  options: {
    json: { type: 'boolean', help: 'As JSON' },
    ...registryOptions,
    plane: {
      type: 'string',
      value: 'HOST:PORT',
      help: 'proxies: the control plane to ask; its token in HEDDLE_REGISTRY_TOKEN',
    },
  },
  examples: [
    'heddle ls services',
    'heddle ls instances order',
    'heddle ls instances order --registry consul://127.0.0.1:8500 --json',
    'heddle ls proxies --plane 127.0.0.1:8090',
  ],
};
