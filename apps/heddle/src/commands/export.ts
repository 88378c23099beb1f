import { type Command, type Given, usageError } from '../command.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { exportLinkerd, exportNetworkPolicies } from './export/mesh-exports.ts';
import { exportGrafana, exportPrometheusRules } from './export/telemetry-exports.ts';
import { scopeOptions } from '../shared-options.ts';
import { type ExportKind, exportKinds, exportUsage } from './export.usage.ts';

/** One thing that is written out. */
interface Export {
  /** True where files or folders are named behind it. */
  readonly takesPaths: boolean;
  /** The options that it heeds; the others of the command are refused. */
  readonly options: readonly string[];
  readonly write: (paths: readonly string[], given: Given, terminal: Terminal) => Promise<void> | void;
}

const scope = Object.keys(scopeOptions);

const exports: Readonly<Record<ExportKind, Export>> = {
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
  ...exportUsage,
  run: async (given, { terminal }) => {
    const [what = '', ...paths] = given.words;
    const kind = exportKinds.find((each) => each === what);
    if (kind === undefined) {
      const known = exportKinds.join(', ');
      throw usageError(`"heddle export" writes one of ${known}, found "${what || 'nothing'}"`);
    }
    const chosen = exports[kind];
    if (!chosen.takesPaths && paths.length > 0)
      throw usageError(`"heddle export ${what}" takes no more words, found "${paths[0]}"`);
    for (const name of Object.keys(exportCommand.options))
      if (given.text(name) !== undefined && !chosen.options.includes(name))
        throw usageError(`--${name} is not for "heddle export ${what}"`);
    await chosen.write(paths, given, terminal);
    return 0;
  },
};
