import type { CommandUsage } from '../command.ts';
import { registryOptions } from '../shared-options.ts';

/** How `heddle doctor` is called. */
export const doctorUsage: CommandUsage = {
  name: 'doctor',
  summary: 'Examine this machine, or a registry, and say what is wrong and what to do',
  words: '[machine|discovery]',
  options: {
    json: { type: 'boolean', help: 'As JSON' },
    'read-only': { type: 'boolean', help: 'Register nothing, only look' },
    ...registryOptions,
  },
  examples: [
    'heddle doctor',
    'heddle doctor discovery',
    'heddle doctor discovery --registry consul://127.0.0.1:8500',
    'heddle doctor discovery --registry "k8s:/shop?kubeconfig=/home/me/.kube/config" --read-only',
  ],
};
