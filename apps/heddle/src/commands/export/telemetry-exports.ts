import { dashboards, grafanaDashboard, writeRules } from '@heddle/telemetry';
import { alertConfig } from '../../control-plane/alerts.ts';
import { writeExport } from '../../node/export-folder.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** Alert rules as Prometheus reads them: those of a folder, or the default ones. */
export function exportPrometheusRules(folder: string | undefined, terminal: Terminal): void {
  terminal.out(writeRules(alertConfig(folder).groups));
}

/** Dashboards for Grafana: a file for each in `folder`, or all as one list. */
export function exportGrafana(folder: string | undefined, terminal: Terminal): void {
  if (folder === undefined) {
    terminal.out(`${JSON.stringify(dashboards.map(grafanaDashboard), undefined, 2)}\n`);
    return;
  }
  for (const each of dashboards) {
    const text = `${JSON.stringify(grafanaDashboard(each), undefined, 2)}\n`;
    terminal.out(`${writeExport(folder, `${each.uid}.json`, text)}\n`);
  }
}
