import type { BoundariesReport, Comparison, Drift, LiteralReport } from '@heddle/boundaries';
import { tableOn } from '../../terminal/table.ts';
import { paint, type Terminal } from '../../terminal/terminal.ts';
import { paragraph } from '../../terminal/wrapped.ts';

/** What `analyse` shows on a terminal: the services, what to do, and what else could be. */
export function reportText(report: BoundariesReport, terminal: Terminal): string {
  const services = report.services.map((service) => ({
    service: service.name,
    capabilities: clip(service.capabilities.join(', '), 60),
    owns: clip(service.owns.join(', '), 40),
    cohesion: service.cohesion?.toFixed(2) ?? '-',
    coupling: service.coupling.toFixed(2),
    complexity: service.complexity,
    stability: service.stability.toFixed(2),
  }));
  const alternatives = report.alternatives.map((each) => ({
    services: each.services.length,
    'coupling cut': `${Math.round(each.crossing * 100)} %`,
    'largest complexity': each.largestComplexity,
    'calls added': each.remoteCallsAddedPerRequest.toFixed(2),
    sagas: each.sagas,
    from: each.recommended ? `${each.origin} (recommended)` : each.origin,
  }));
  const { modularity, sm, icp, ifn, ned, bcp } = report.metrics;
  const lines = report.recommendations.map(
    ({ subject, advice, reason }) =>
      `  ${paragraph(terminal, `${paint(terminal, 'bold', subject)}: ${advice}`, '  ')}    ${paragraph(terminal, `because ${reason}`, '    ')}`,
  );
  const more = lines.length > 12 ? `  … and ${lines.length - 12} more, in --json and --html\n` : '';
  return [
    `${paint(terminal, 'bold', report.name)}: ${report.summary.capabilities} ${report.kind}, ${report.summary.services} services\n`,
    `${paragraph(terminal, report.summary.explanation)}\n`,
    tableOn(terminal, services, ['stability', 'complexity']),
    lines.length > 0 ? `\nRecommendations\n${lines.slice(0, 12).join('')}${more}` : '',
    `\nAlternatives\n${tableOn(terminal, alternatives)}`,
    `\nmodularity ${modularity.toFixed(3)}  SM ${sm.toFixed(3)}  ICP ${icp.toFixed(3)}  IFN ${ifn.toFixed(2)}  NED ${ned.toFixed(2)}`,
    bcp === undefined ? '\n' : `  BCP ${bcp.toFixed(2)}\n`,
    ...report.price.assumed.map((each) => paragraph(terminal, `assumed: ${each}`, '  ')),
  ].join('');
}

/** What `compare` shows. */
export function comparisonText(comparison: Comparison): string {
  const { mojofm, ari, items, services, referenceServices, unplaced, ignored } = comparison;
  return [
    `MoJoFM ${mojofm.toFixed(2)}  ARI ${ari.toFixed(3)}  (${items} things, ${services} services, ${referenceServices} in the reference)\n`,
    unplaced.length > 0 ? `not placed, counted as one service of their own: ${unplaced.join(', ')}\n` : '',
    ignored > 0 ? `${ignored} things that the reference does not know were not counted\n` : '',
  ].join('');
}

/** What `drift` shows. */
export function driftText(drift: readonly Drift[], terminal: Terminal): string {
  if (drift.length === 0) return 'the running system is as planned\n';
  const colours = { error: 'red', warning: 'yellow', note: 'dim' } as const;
  return drift
    .map(({ severity, message, evidence }) => {
      const shown = evidence.slice(0, 3).map((each) => `    ${each}\n`);
      const more = evidence.length > 3 ? `    … and ${evidence.length - 3} more\n` : '';
      return `${paint(terminal, colours[severity], severity)}: ${message}\n${shown.join('')}${more}`;
    })
    .join('');
}

/** What `analyse --compat seed` shows: the literal rule, and first of all why not to follow it. */
export function literalText(report: LiteralReport, terminal: Terminal): string {
  const rows = report.services.map(({ name, capabilities, couplingScore }) => ({
    service: name,
    capabilities: capabilities.join(', '),
    'coupling score': couplingScore.toFixed(2),
  }));
  return [
    'The literal rule, to be compared with and not to be followed:\n',
    ...report.faults.map((fault) => `  - ${fault}\n`),
    `\n${tableOn(terminal, rows)}`,
    `\naverage coupling ${report.summary.averageCoupling.toFixed(2)}\n`,
    ...report.recommendations.map((each) => `- ${each}\n`),
  ].join('');
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
