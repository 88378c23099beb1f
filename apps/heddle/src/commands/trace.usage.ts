import type { CommandUsage } from '../command.ts';
import { planeOptions } from '../shared-options.ts';

/** How `heddle trace` is called. */
export const traceUsage: CommandUsage = {
  name: 'trace',
  summary: 'Show a trace: all that one request set off, in every service, with times and failures',
  words: '<trace id | correlation id>',
  options: planeOptions,
  examples: ['heddle trace 0af7651916cd43dd8448eb211c80319c', 'heddle trace my-order-1 --json'],
};
