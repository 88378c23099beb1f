import type { Command } from '../command.ts';
import { McpSession } from '../mcp/session.ts';
import { inputLines } from '../node/input-lines.ts';

/** `heddle mcp`. */
export const mcp: Command = {
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
  run: async (given, world) => {
    const session = new McpSession(await world.commands(), world, given.flag('allow-changes'));
    for await (const line of inputLines()) {
      if (line.trim() === '') continue;
      const answer = await session.answer(line);
      if (answer !== undefined) world.terminal.out(`${answer}\n`);
    }
    return 0;
  },
};
