import type { CommandUsage } from '../command.ts';

/** How `heddle dev` is called. */
export const devUsage: CommandUsage = {
  name: 'dev',
  summary: 'Run a service beside a running "heddle up"; after each change it drains and starts again',
  words: '[file]',
  options: {
    watch: { type: 'string', value: 'DIR', help: 'What to watch; default: the folder of the file' },
    data: { type: 'string', value: 'DIR', help: 'Folder of the running "heddle up"; default .heddle' },
  },
  examples: [
    'heddle dev',
    'heddle dev src/main.ts --data ../heddle/.heddle',
    'HEDDLE_REGISTRY=consul://127.0.0.1:8500 heddle dev',
  ],
};
