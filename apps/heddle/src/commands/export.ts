import { type Command, usageError } from '../command.ts';
import { exportLinkerd, exportNetworkPolicies } from './export/mesh-exports.ts';
import { scopeOptions } from './mesh/scope-options.ts';

/** `heddle export`. */
export const exportCommand: Command = {
  name: 'export',
  summary: 'Write what Heddle knows for other tools: NetworkPolicies for Kubernetes, rules for Linkerd',
  words: 'network-policies|linkerd <file or folder>...',
  options: {
    calls: {
      type: 'string',
      value: 'FILE',
      help: 'With network-policies: the service graph, a JSON object a line; default: what the policies permit',
    },
    ...scopeOptions,
  },
  examples: [
    'heddle export network-policies deploy/ > network-policies.yaml',
    'heddle export network-policies deploy/ --calls calls.jsonl',
    'heddle export linkerd deploy/',
  ],
  run: async (given, { terminal }) => {
    const [what, ...paths] = given.words;
    if (what === 'network-policies') await exportNetworkPolicies(paths, given, terminal);
    else if (what === 'linkerd') await exportLinkerd(paths, given, terminal);
    else throw usageError(`"heddle export" writes network-policies or linkerd, found "${what ?? 'nothing'}"`);
    return 0;
  },
};
