import type { CommandUsage } from '../command.ts';
import { scopeOptions } from '../shared-options.ts';

/** How `heddle analyze` is called. */
export const analyzeUsage: CommandUsage = {
  name: 'analyze',
  summary: 'Find mistakes in resources of Istio and the Gateway API, before they are applied',
  words: '<file, folder or ->...',
  options: {
    json: { type: 'boolean', help: 'As JSON: { objects, others, findings }' },
    info: { type: 'boolean', help: 'Show what is only worth knowing as well' },
    explain: { type: 'boolean', help: 'Say with each finding why it matters' },
    partial: { type: 'boolean', help: 'The files are part of a mesh: do not tell what is not in them' },
    'fail-on': { type: 'string', value: 'SEVERITY', help: 'Exit with 1 on error (default), warning or info' },
    'stdin-name': {
      type: 'string',
      value: 'FILE',
      help: 'What - is called in findings: the file being edited',
    },
    ...scopeOptions,
  },
  examples: [
    'heddle analyze deploy/',
    'heddle analyze deploy/mesh.yaml --json',
    'heddle analyze --partial --stdin-name reviews.yaml - < buffer',
  ],
};
