import type { CommandUsage } from '../command.ts';

/** How `heddle explain` is called. */
export const explainUsage: CommandUsage = {
  name: 'explain',
  summary: 'Say why a call went where it went and what became of it, or which layers calls pass',
  words: '<trace or correlation id> | failures | layers [service]',
  options: {
    json: { type: 'boolean', help: 'As JSON' },
    data: {
      type: 'string',
      value: 'DIR',
      help: 'The data folder of the running "heddle up"; default .heddle',
    },
    registry: {
      type: 'string',
      value: 'HOST:PORT',
      help: 'Another control plane; tokens in HEDDLE_REGISTRY_TOKEN and HEDDLE_ADMIN_TOKEN',
    },
  },
  examples: [
    'heddle explain 0af7651916cd43dd8448eb211c80319c',
    'heddle explain failures',
    'heddle explain layers order',
  ],
};
