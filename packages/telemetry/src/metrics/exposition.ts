import type { Family } from './family.ts';
import type { Histogram } from './histogram.ts';
import type { MetricRegistry } from './registry.ts';

/** The media type of what `expose` writes. */
export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

/** All metrics in Prometheus' text format 0.0.4 (prometheus/docs `exposition_formats.md`). */
export function expose(registry: MetricRegistry): string {
  const lines: string[] = [];
  for (const { type, family } of registry.collect()) {
    if (family.all.length === 0) continue;
    lines.push(`# HELP ${family.name} ${escapeHelp(family.help)}`, `# TYPE ${family.name} ${type}`);
    if (type === 'histogram') exposeHistograms(lines, family);
    else
      for (const { labelValues, handle } of family.all) lines.push(sample(family, labelValues, handle.value));
  }
  lines.push('');
  return lines.join('\n');
}

function sample(family: Family<unknown>, values: readonly string[], value: number): string {
  const labels = labelPairs(family, values);
  return `${family.name}${labels === '' ? '' : `{${labels}}`} ${formatNumber(value)}`;
}

function exposeHistograms(lines: string[], family: Family<Histogram>): void {
  for (const { labelValues, handle } of family.all) {
    const labels = labelPairs(family, labelValues);
    const prefix = labels === '' ? '' : `${labels},`;
    let total = 0;
    handle.counts.forEach((count, at) => {
      total += count;
      const bound = handle.bounds[at];
      const le = bound === undefined ? '+Inf' : formatNumber(bound);
      lines.push(`${family.name}_bucket{${prefix}le="${le}"} ${formatNumber(total)}`);
    });
    const braces = labels === '' ? '' : `{${labels}}`;
    lines.push(`${family.name}_sum${braces} ${formatNumber(handle.sum)}`);
    lines.push(`${family.name}_count${braces} ${formatNumber(total)}`);
  }
}

function labelPairs(family: Family<unknown>, values: readonly string[]): string {
  return family.labels.map((label, at) => `${label}="${escapeLabel(values[at] ?? '')}"`).join(',');
}

function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
