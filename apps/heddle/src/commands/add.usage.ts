import type { CommandUsage } from '../command.ts';
import { pieceKinds } from '../new/piece-kinds.ts';

/** How `heddle add` is called. */
export const addUsage: CommandUsage = {
  name: 'add',
  summary: 'Put a piece into a service: a saga, or a consumer of messages, with its test',
  words: `${Object.keys(pieceKinds).join('|')} <name>`,
  options: {
    folder: { type: 'string', value: 'DIR', help: 'The project; default: this folder' },
    json: { type: 'boolean', help: 'What was written, as JSON' },
  },
  examples: ['heddle add saga order-delivery', 'heddle add consumer order-events --folder services/billing'],
};
