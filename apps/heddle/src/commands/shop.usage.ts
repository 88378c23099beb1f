import type { CommandUsage } from '../command.ts';

/** How `heddle shop` is called. */
export const shopUsage: CommandUsage = {
  name: 'shop',
  summary: 'Make a service of the running demo shop slow or failing, or kill one of its instances',
  words: 'fault <service> slow|fail|kill|off',
  options: {
    data: {
      type: 'string',
      value: 'DIR',
      help: 'The data folder of the running "heddle up"; default .heddle',
    },
  },
  examples: [
    'heddle shop fault payment slow',
    'heddle shop fault order kill',
    'heddle shop fault payment off',
  ],
};
