import type { Family } from './family.ts';
import type { Exemplar, Histogram } from './histogram.ts';
import type { MetricRegistry } from './registry.ts';

/** The media type of what `expose` writes. */
export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

/** The media type of what `exposeOpenMetrics` writes. */
export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** All metrics in OpenMetrics 1.0, with exemplars: the newest trace of each bucket. */
export function exposeOpenMetrics(registry: MetricRegistry): string {
  const lines: string[] = [];
  for (const { type, family } of registry.collect()) {
    if (family.all.length === 0) continue;
    // A counter is called without the ending that its samples have.
    const name = type === 'counter' ? family.name.replace(/_total$/, '') : family.name;
    lines.push(`# TYPE ${name} ${type}`, `# HELP ${name} ${escapeLabel(family.help)}`);
    if (type === 'histogram') exposeHistograms(lines, family, true);
    else if (type === 'gauge' || family.name.endsWith('_total'))
      for (const { labelValues, handle } of family.all) lines.push(sample(family, labelValues, handle.value));
    else
      for (const { labelValues, handle } of family.all)
        lines.push(sample({ name: `${name}_total`, labels: family.labels }, labelValues, handle.value));
  }
  lines.push('# EOF', '');
  return lines.join('\n');
}

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

function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return '';
  const { traceId, spanId, value, wallMs } = exemplar;
  return ` # {trace_id="${traceId}",span_id="${spanId}"} ${formatNumber(value)} ${(wallMs / 1000).toFixed(3)}`;
}

/** OpenMetrics writes bounds as floating-point numbers. */
function withPoint(bound: string): string {
  return /^\d+$/.test(bound) ? `${bound}.0` : bound;
}

type Named = Pick<Family<unknown>, 'name' | 'labels'>;

function sample(family: Named, values: readonly string[], value: number): string {
  const labels = labelPairs(family, values);
  return `${family.name}${labels === '' ? '' : `{${labels}}`} ${formatNumber(value)}`;
}

function exposeHistograms(lines: string[], family: Family<Histogram>, withExemplars = false): void {
  for (const { labelValues, handle } of family.all) {
    const labels = labelPairs(family, labelValues);
    const prefix = labels === '' ? '' : `${labels},`;
    let total = 0;
    handle.counts.forEach((count, at) => {
      total += count;
      const bound = handle.bounds[at];
      const le = bound === undefined ? '+Inf' : formatNumber(bound);
      const exemplar = withExemplars ? exemplarText(handle.exemplarOf(at)) : '';
      lines.push(
        `${family.name}_bucket{${prefix}le="${withExemplars ? withPoint(le) : le}"} ${formatNumber(total)}${exemplar}`,
      );
    });
    const braces = labels === '' ? '' : `{${labels}}`;
    lines.push(`${family.name}_sum${braces} ${formatNumber(handle.sum)}`);
    lines.push(`${family.name}_count${braces} ${formatNumber(total)}`);
  }
}

function labelPairs(family: Named, values: readonly string[]): string {
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
