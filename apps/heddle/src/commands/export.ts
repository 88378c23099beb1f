import { dashboards, grafanaDashboard, writeRules } from '@heddle/telemetry';
import { type Command, usageError } from '../command.ts';
import { alertConfig } from '../control-plane/alerts.ts';
import { writeExport } from '../node/export-folder.ts';

/** `heddle export`. */
export const exportCommand: Command = {
  name: 'export',
  summary: 'Write alert rules for Prometheus, or dashboards for Grafana',
  words: 'prometheus-rules|grafana',
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
  },
  examples: [
    'heddle export prometheus-rules > heddle.rules.yml',
    'heddle export prometheus-rules --alerts deploy/alerts',
    'heddle export grafana --out deploy/grafana',
  ],
  run: async (given, { terminal }) => {
    const [what, ...rest] = given.words;
    if (rest.length > 0) throw usageError(`"heddle export" takes one word, found "${rest[0]}" after it`);
    if (what === 'prometheus-rules') {
      if (given.text('out') !== undefined) throw usageError('--out is for "heddle export grafana"');
      terminal.out(writeRules(alertConfig(given.text('alerts')).groups));
      return 0;
    }
    if (what !== 'grafana')
      throw usageError(`"heddle export" writes prometheus-rules or grafana, found "${what ?? 'nothing'}"`);
    if (given.text('alerts') !== undefined)
      throw usageError('--alerts is for "heddle export prometheus-rules"');
    const folder = given.text('out');
    if (folder === undefined) {
      terminal.out(`${JSON.stringify(dashboards.map(grafanaDashboard), undefined, 2)}\n`);
      return 0;
    }
    for (const each of dashboards) {
      const file = writeExport(
        folder,
        `${each.uid}.json`,
        `${JSON.stringify(grafanaDashboard(each), undefined, 2)}\n`,
      );
      terminal.out(`${file}\n`);
    }
    return 0;
  },
};
