import type { SagaStatus } from '@heddle/data/saga';
import type { CommandUsage } from '../command.ts';

/** What a saga may be. */
export const sagaStatuses: readonly SagaStatus[] = [
  'running',
  'compensating',
  'parked',
  'completed',
  'compensated',
];

/** How `heddle saga` is called. */
export const sagaUsage: CommandUsage = {
  name: 'saga',
  summary: 'List sagas, show one, and retry, skip or compensate what is parked',
  words: 'list|show|retry|skip|compensate [id] [step]',
  options: {
    database: { type: 'string', value: 'URL', help: 'Their database; default HEDDLE_DATABASE_URL' },
    status: { type: 'string', value: 'STATUS', help: `list: only ${sagaStatuses.join(', ')}` },
    name: { type: 'string', value: 'NAME', help: 'list: only sagas of this name' },
    by: { type: 'string', value: 'WHO', help: 'For the audit, of what changes a saga; default USER' },
    why: { type: 'string', value: 'TEXT', help: 'compensate: the reason' },
    draw: { type: 'boolean', help: 'show: as a flowchart of Mermaid' },
    json: { type: 'boolean', help: 'As JSON' },
  },
  examples: [
    'heddle saga list --status parked',
    'heddle saga show 0b54…      # its steps, failures, and what was said to it by whom',
    'heddle saga retry 0b54…     # tries again what it is parked at',
    'heddle saga skip 0b54… pay  # takes the step as done, or as undone: you have seen to it',
    'heddle saga compensate 0b54… --why "wrong price"',
  ],
};
