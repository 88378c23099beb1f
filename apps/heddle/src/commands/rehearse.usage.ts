import type { CommandOption, CommandUsage } from '../command.ts';
import { planeOptions, scopeOptions } from '../shared-options.ts';

/** How `heddle rehearse` is called. */
export const rehearseUsage: CommandUsage = {
  name: 'rehearse',
  summary:
    'Replay recorded calls against changed rules: which would go elsewhere or be judged otherwise, and whose',
  words: '',
  options: {
    before: { type: 'string', value: 'PATH', help: 'The resources of now: a file or a folder' },
    after: { type: 'string', value: 'PATH', help: 'The resources of after the change' },
    calls: { type: 'string', value: 'FILE', help: 'Summaries of calls, a JSON object a line' },
    running: {
      type: 'boolean',
      help: 'Instead: the calls of the last hour by the traces that a control plane has kept, of the running "heddle up" or --plane',
    },
    data: planeOptions['data'] as CommandOption,
    plane: planeOptions['plane'] as CommandOption,
    json: { type: 'boolean', help: 'As JSON: { calls, changed, differences }' },
    'expect-none': { type: 'boolean', help: 'Exit with 1 if anything changes' },
    ...scopeOptions,
  },
  examples: [
    'heddle rehearse --before deploy --after change --calls calls.jsonl',
    'heddle rehearse --before deploy --after change --running --plane 127.0.0.1:8090',
  ],
};
