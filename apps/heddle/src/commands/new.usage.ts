import type { CommandUsage } from '../command.ts';

/** How `heddle new` is called. */
export const newUsage: CommandUsage = {
  name: 'new',
  summary: 'Make a service: contract, server with registration and health, tests, container file, manifests',
  words: '<name>',
  options: {
    folder: { type: 'string', value: 'DIR', help: 'Where; default: the name, in this folder' },
    packages: {
      type: 'string',
      value: 'DIR',
      help: 'Take Heddle\'s packages from the files that "npm run pack" made, instead of a package registry',
    },
    json: { type: 'boolean', help: 'What was made, as JSON' },
  },
  examples: [
    'heddle new order-history',
    'heddle new cart --folder services/cart --packages ../heddle/packed',
  ],
};
