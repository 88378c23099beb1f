import { paint, type Terminal } from '../terminal/terminal.ts';
import { durationText, type JaegerSpan, type JaegerTrace, parentOf, rootOf, tagOf } from './jaeger-trace.ts';

interface Line {
  readonly span: JaegerSpan;
  readonly depth: number;
}

const barWidth = 24;
const deepest = 20;

/** A trace as a waterfall: a line per span under its parent, with when it began, how long it took, and a bar. */
export function waterfall(trace: JaegerTrace, terminal: Terminal): string {
  const lines = linesOf(trace);
  const startUs = Math.min(...trace.spans.map(({ startTime }) => startTime));
  const endUs = Math.max(...trace.spans.map(({ startTime, duration }) => startTime + duration));
  const tookUs = Math.max(1, endUs - startUs);
  const services = new Set(trace.spans.map(({ processID }) => trace.processes[processID]?.serviceName ?? ''));
  const root = rootOf(trace);
  const failed = trace.spans.filter((span) => tagOf(span, 'error') === 'true').length;
  const failures = failed === 0 ? '' : `, ${paint(terminal, 'red', `${failed} failed`)}`;
  const head = [
    paint(terminal, 'bold', root?.operationName ?? ''),
    durationText(tookUs),
    `${trace.spans.length} spans of ${services.size} ${services.size === 1 ? 'service' : 'services'}${failures}`,
    new Date(startUs / 1000).toISOString(),
  ].join('  ');
  const serviceWidth = Math.max(...[...services].map(({ length }) => length));
  const nameWidth = nameWidthFor(lines, terminal, serviceWidth);
  const rows = lines.map((line) => row(line, trace, { terminal, startUs, tookUs, serviceWidth, nameWidth }));
  return `${head}\ntrace ${trace.traceID}\n\n${rows.join('\n')}\n`;
}

/** As wide as the names are, and where a terminal is narrow as it has room for. */
function nameWidthFor(
  lines: readonly Line[],
  { interactive, width }: Terminal,
  serviceWidth: number,
): number {
  const wanted = Math.max(...lines.map(({ span, depth }) => span.operationName.length + 2 * depth));
  const others = serviceWidth + 2 + 2 * 11 + 2 + barWidth;
  return Math.min(wanted, interactive ? Math.max(20, width - others) : 100);
}

/** Children below their parent, in the order in which they began; spans whose parent is missing stand by themselves. */
function linesOf({ spans }: JaegerTrace): readonly Line[] {
  const known = new Set(spans.map(({ spanID }) => spanID));
  const children = new Map<string, JaegerSpan[]>();
  for (const span of spans.toSorted((a, b) => a.startTime - b.startTime)) {
    const parent = known.has(parentOf(span)) && parentOf(span) !== span.spanID ? parentOf(span) : '';
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const lines: Line[] = [];
  const waiting = (children.get('') ?? []).toReversed().map((span) => ({ span, depth: 0 }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    lines.push(next);
    const { span, depth } = next;
    for (const child of (children.get(span.spanID) ?? []).toReversed())
      waiting.push({ span: child, depth: Math.min(deepest, depth + 1) });
    children.delete(span.spanID);
  }
  return lines;
}

interface Layout {
  readonly terminal: Terminal;
  readonly startUs: number;
  readonly tookUs: number;
  readonly serviceWidth: number;
  readonly nameWidth: number;
}

function row({ span, depth }: Line, { processes }: JaegerTrace, layout: Layout): string {
  const { terminal, startUs, tookUs, serviceWidth, nameWidth } = layout;
  const service = processes[span.processID]?.serviceName ?? '';
  const hasFailed = tagOf(span, 'error') === 'true';
  const indented = `${'  '.repeat(depth)}${span.operationName}`;
  const name =
    indented.length > nameWidth ? `${indented.slice(0, nameWidth - 1)}…` : indented.padEnd(nameWidth);
  const sinceUs = span.startTime - startUs;
  const cells = [
    service.padEnd(serviceWidth),
    hasFailed ? paint(terminal, 'red', name) : name,
    paint(terminal, 'dim', `+${durationText(sinceUs)}`.padStart(9)),
    durationText(span.duration).padStart(9),
    bar(sinceUs / tookUs, span.duration / tookUs, terminal, hasFailed),
  ];
  const why = tagOf(span, 'otel.status_description') || tagOf(span, 'error.type');
  const line = cells.join('  ').trimEnd();
  return hasFailed && why !== ''
    ? `${line}\n${' '.repeat(serviceWidth + 2)}${paint(terminal, 'red', `✘ ${why}`)}`
    : line;
}

/** Where in the trace a span lies; at least a sliver. */
function bar(from: number, share: number, terminal: Terminal, hasFailed: boolean): string {
  const begin = Math.min(barWidth - 1, Math.floor(from * barWidth));
  const length = Math.max(1, Math.min(barWidth - begin, Math.round(share * barWidth)));
  const drawn = share * barWidth < 0.5 ? '▏' : '█'.repeat(length);
  return `${' '.repeat(begin)}${paint(terminal, hasFailed ? 'red' : 'cyan', drawn)}`;
}
