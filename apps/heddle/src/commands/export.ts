import { type Command, type Given, usageError } from '../command.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { exportLinkerd, exportNetworkPolicies } from './export/mesh-exports.ts';
import { exportGrafana, exportPrometheusRules } from './export/telemetry-exports.ts';
import { scopeOptions } from './mesh/scope-options.ts';

/** One thing that is written out. */
interface Export {
  /** True where files or folders are named behind it. */
  readonly takesPaths: boolean;
  /** The options that it heeds; the others of the command are refused. */
  readonly options: readonly string[];
  readonly write: (paths: readonly string[], given: Given, terminal: Terminal) => Promise<void> | void;
}

const scope = Object.keys(scopeOptions);

const exports: Readonly<Record<string, Export>> = {
  'prometheus-rules': {
    takesPaths: false,
    options: ['alerts'],
    write: (_paths, given, terminal) => exportPrometheusRules(given.text('alerts'), terminal),
  },
  grafana: {
    takesPaths: false,
    options: ['out'],
    write: (_paths, given, terminal) => exportGrafana(given.text('out'), terminal),
  },
  'network-policies': { takesPaths: true, options: ['calls', ...scope], write: exportNetworkPolicies },
  linkerd: { takesPaths: true, options: scope, write: exportLinkerd },
};

/** `heddle export`. */
export const exportCommand: Command = {
  name: 'export',
  summary:
    'Write what Heddle knows for other tools: rules for Prometheus and Linkerd, dashboards for Grafana, NetworkPolicies',
  words: `${Object.keys(exports).join('|')} [file or folder]...`,
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
  run: async (given, { terminal }) => {
    const [what = '', ...paths] = given.words;
    const chosen = Object.hasOwn(exports, what) ? exports[what] : undefined;
    if (chosen === undefined) {
      const known = Object.keys(exports).join(', ');
      throw usageError(`"heddle export" writes one of ${known}, found "${what || 'nothing'}"`);
    }
    if (!chosen.takesPaths && paths.length > 0)
      throw usageError(`"heddle export ${what}" takes no more words, found "${paths[0]}"`);
    for (const name of Object.keys(exportCommand.options))
      if (given.text(name) !== undefined && !chosen.options.includes(name))
        throw usageError(`--${name} is not for "heddle export ${what}"`);
    await chosen.write(paths, given, terminal);
    return 0;
  },
};
