import type { Command } from '../command.ts';
import { McpSession } from '../mcp/session.ts';
import { inputLines } from '../node/input-lines.ts';
import { mcpUsage } from './mcp.usage.ts';

/** `heddle mcp`. */
export const mcp: Command = {
  ...mcpUsage,
  run: async (given, world) => {
    const session = new McpSession(world.commands, world, given.flag('allow-changes'));
    for await (const line of inputLines()) {
      if (line.trim() === '') continue;
      const answer = await session.answer(line);
      if (answer !== undefined) world.terminal.out(`${answer}\n`);
    }
    return 0;
  },
};
