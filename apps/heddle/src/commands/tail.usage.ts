import type { CommandUsage } from '../command.ts';
import { planeOptions } from '../shared-options.ts';

/** How `heddle tail` is called. */
export const tailUsage: CommandUsage = {
  name: 'tail',
  summary: 'Follow requests, or log lines, as they come in from all services',
  words: '[requests|logs]',
  options: {
    service: { type: 'string', value: 'NAME', help: 'Only of this service' },
    failed: { type: 'boolean', help: 'Only requests that failed, or lines of warnings and errors' },
    text: { type: 'string', value: 'TEXT', help: 'With logs: only lines that contain it' },
    for: { type: 'string', value: 'SECONDS', help: 'End after so long; default: when told to' },
    ...planeOptions,
  },
  examples: ['heddle tail', 'heddle tail --failed', 'heddle tail logs --service order'],
};
