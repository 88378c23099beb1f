import type { CommandUsage } from '../command.ts';
import { brokerOption } from '../shared-options.ts';

/** How `heddle topics` is called. */
export const topicsUsage: CommandUsage = {
  name: 'topics',
  summary: 'List topics, make and delete them, and show how far a group is behind',
  words: 'list|create|delete|lag [topic] [group]',
  options: {
    broker: brokerOption,
    partitions: { type: 'string', value: 'N', help: 'create: how many; default 8; cannot change later' },
    'retention-hours': {
      type: 'string',
      value: 'N',
      help: 'create: how long messages are kept; default 168',
    },
    all: { type: 'boolean', help: 'list: also those that the platform makes for itself' },
    json: { type: 'boolean', help: 'As JSON' },
  },
  examples: [
    'heddle topics list',
    'heddle topics create orders --partitions 16',
    'heddle topics lag orders billing   # what the group has yet to do, and who does it',
    'heddle topics delete orders        # with all that is in it',
  ],
};
