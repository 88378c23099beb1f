import type { Drift } from '../drift/drift.ts';
import type { BoundariesReport } from './report.ts';

/** A report as Markdown, for a pull request or a wiki. */
export function reportMarkdown(report: BoundariesReport): string {
  return [
    `# Boundaries of ${text(report.name)}`,
    '',
    `${report.summary.capabilities} ${report.kind}, ${report.summary.services} services. ${report.summary.explanation}`,
    '',
    ...servicesSection(report),
    ...recommendationsSection(report),
    ...ownershipSection(report),
    ...priceSection(report),
    ...alternativesSection(report),
    ...metricsSection(report),
  ].join('\n');
}

/** Drift as Markdown. */
export function driftMarkdown(drift: readonly Drift[]): string {
  if (drift.length === 0) return '# Drift\n\nThe running system is as planned.\n';
  const rows = drift.map(({ severity, kind, message, evidence }) => [
    severity,
    kind,
    message,
    evidence.join('; '),
  ]);
  return ['# Drift', '', ...table(['severity', 'kind', 'what', 'evidence'], rows), ''].join('\n');
}

function servicesSection({ services }: BoundariesReport): string[] {
  const rows = services.map((service) => [
    service.name,
    service.capabilities.join(', '),
    service.owns.join(', '),
    service.teams.map(({ team }) => team).join(', '),
    number(service.complexity),
    service.cohesion === undefined ? '' : number(service.cohesion),
    number(service.coupling),
    number(service.stability),
  ]);
  const head = [
    'service',
    'capabilities',
    'owns',
    'teams',
    'complexity',
    'cohesion',
    'coupling',
    'stability',
  ];
  const reasons = services.flatMap(({ name, strongest }) =>
    strongest.map(
      ({ a, b, coupling, because }) =>
        `- **${text(name)}** joins ${text(a)} and ${text(b)}: ${number(coupling)} (${text(because.join('; '))})`,
    ),
  );
  return [
    '## Services',
    '',
    ...table(head, rows),
    '',
    ...(reasons.length > 0 ? ['### Why', '', ...reasons, ''] : []),
  ];
}

function recommendationsSection({ recommendations }: BoundariesReport): string[] {
  if (recommendations.length === 0) return [];
  const lines = recommendations.map(
    ({ subject, advice, reason }) => `- **${text(subject)}**: ${text(advice)}. Because ${text(reason)}.`,
  );
  return ['## Recommendations', '', ...lines, ''];
}

function ownershipSection({ ownership }: BoundariesReport): string[] {
  const rows = ownership.map(({ entity, owner, writers, readers, conflict }) => [
    entity,
    owner,
    writers.join(', '),
    readers.join(', '),
    conflict ? 'conflict' : '',
  ]);
  return ['## Data', '', ...table(['entity', 'owner', 'writers', 'readers', ''], rows), ''];
}

function priceSection({ price }: BoundariesReport): string[] {
  const rows = price.useCases.map((each) => [
    each.name,
    number(each.rate),
    number(each.remoteCallsToday),
    number(each.remoteCalls),
    each.becomesSaga ? each.writesIn.join(', ') : '',
  ]);
  const said = price.assumed.map((each) => `- assumed: ${text(each)}`);
  return [
    '## Price',
    '',
    `${number(price.remoteCallsAddedPerRequest)} calls between services are added per request.`,
    '',
    ...table(['use case', 'rate', 'remote calls today', 'then', 'saga over'], rows),
    '',
    ...(said.length > 0 ? [...said, ''] : []),
  ];
}

function alternativesSection({ alternatives }: BoundariesReport): string[] {
  const rows = alternatives.map((each) => [
    `${each.services.length}${each.recommended ? ' (recommended)' : ''}`,
    each.origin,
    number(each.crossing),
    number(each.largestComplexity),
    number(each.modularity),
    number(each.remoteCallsAddedPerRequest),
    String(each.sagas),
  ]);
  const head = [
    'services',
    'from',
    'coupling cut',
    'largest complexity',
    'modularity',
    'calls added',
    'sagas',
  ];
  return ['## Alternatives', '', ...table(head, rows), ''];
}

function metricsSection({ metrics, weights }: BoundariesReport): string[] {
  const { modularity, sm, icp, ifn, ned, bcp } = metrics;
  const used = Object.entries(weights).map(([criterion, weight]) => `${criterion} ${weight}`);
  const row = [modularity, sm, icp, ifn, ned].map(number);
  return [
    '## Metrics',
    '',
    ...table(
      ['modularity', 'SM', 'ICP', 'IFN', 'NED', 'BCP'],
      [[...row, bcp === undefined ? '' : number(bcp)]],
    ),
    '',
    `Weights: ${used.join(', ')}. Compare these metrics only at an equal number of services.`,
    '',
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(text).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)];
}

/** Names come from documents and traces: they must not become markup. */
function text(value: string): string {
  return value.replace(/[\\|`*_<>[\]]/g, '\\$&').replace(/\s+/g, ' ');
}

/** Whole numbers as they are, others with two digits. */
export function number(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
