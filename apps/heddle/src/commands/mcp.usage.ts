import type { CommandUsage } from '../command.ts';

/** How `heddle mcp` is called. */
export const mcpUsage: CommandUsage = {
  name: 'mcp',
  summary:
    'Serve the reading commands as tools of the Model Context Protocol, over standard input and output',
  words: '',
  options: {
    'allow-changes': {
      type: 'boolean',
      help: 'Commands too that change something: settings, sagas, dead letters, faults',
    },
  },
  examples: ['heddle mcp', 'heddle mcp --allow-changes'],
};
