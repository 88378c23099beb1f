import type { CommandUsage } from '../command.ts';
import { scopeOptions } from '../shared-options.ts';

/** What `heddle export` writes. */
export const exportKinds = ['prometheus-rules', 'grafana', 'network-policies', 'linkerd'] as const;
/** One of `exportKinds`. */
export type ExportKind = (typeof exportKinds)[number];

/** How `heddle export` is called. */
export const exportUsage: CommandUsage = {
  name: 'export',
  summary:
    'Write what Heddle knows for other tools: rules for Prometheus and Linkerd, dashboards for Grafana, NetworkPolicies',
  words: `${exportKinds.join('|')} [file or folder]...`,
  options: {
    alerts: {
      type: 'string',
      value: 'DIR',
      help: 'With prometheus-rules: the folder of alerts; default: the default rules',
    },
    out: {
      type: 'string',
      value: 'DIR',
      help: 'With grafana: a file for each dashboard there; default: all to stdout',
    },
    calls: {
      type: 'string',
      value: 'FILE',
      help: 'With network-policies: the service graph, a JSON object a line; default: what the policies permit',
    },
    ...scopeOptions,
  },
  examples: [
    'heddle export prometheus-rules > heddle.rules.yml',
    'heddle export prometheus-rules --alerts deploy/alerts',
    'heddle export grafana --out deploy/grafana',
    'heddle export network-policies deploy/ > network-policies.yaml',
    'heddle export network-policies deploy/ --calls calls.jsonl',
    'heddle export linkerd deploy/',
  ],
};
