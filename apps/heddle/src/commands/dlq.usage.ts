import type { CommandUsage } from '../command.ts';
import { brokerOption } from '../shared-options.ts';

/** How `heddle dlq` is called. */
export const dlqUsage: CommandUsage = {
  name: 'dlq',
  summary: 'List dead letters, look at one, and replay or drop them',
  words: 'list|show|replay|drop [topic] [group] [id]',
  options: {
    broker: brokerOption,
    limit: { type: 'string', value: 'N', help: 'list: so many at most; default 100' },
    all: { type: 'boolean', help: 'replay, drop: all that there are now' },
    json: { type: 'boolean', help: 'As JSON' },
  },
  examples: [
    'heddle dlq list                       # which groups have dead letters',
    'heddle dlq list orders billing        # what the group could not handle, and why',
    'heddle dlq show orders billing 0b54…  # the message with its payload',
    'heddle dlq replay orders billing --all',
    'heddle dlq drop orders billing 0b54…',
  ],
};
