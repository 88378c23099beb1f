import { type Runtime, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Command, type Given, usageError, type World } from '../command.ts';
import { untilToldToStop } from '../hold.ts';
import { durationText, type JaegerTrace, rootOf, tagOf } from '../observe/jaeger-trace.ts';
import { PlaneClient } from '../observe/plane-client.ts';
import { paint, type Terminal } from '../terminal/terminal.ts';
import { tailUsage } from './tail.usage.ts';

const everyMs = 1000;
/** Spans of one request come from several processes, up to a second apart: it is shown when they are in. */
const settleMs = 2500;

/** `heddle tail`. */
export const tail: Command = {
  ...tailUsage,
  run: async (given, world) => {
    const [what = 'requests', ...rest] = given.words;
    if ((what !== 'requests' && what !== 'logs') || rest.length > 0)
      throw usageError(`"heddle tail" follows "requests" or "logs", found "${given.words.join(' ')}"`);
    const runtime = nodeRuntime({ name: 'tail', logLevel: 'error' });
    const plane = new PlaneClient(given, runtime);
    const source = what === 'logs' ? new LogTail(plane, given) : new RequestTail(plane, given);
    let stopped = false;
    const told = untilToldToStop(given, world, runtime).then(() => {
      stopped = true;
    });
    try {
      while (!stopped) {
        for (const line of await source.next(runtime)) show(line, given, world);
        await Promise.race([told, sleep(runtime.timers, everyMs)]);
      }
      return 0;
    } finally {
      plane.close();
    }
  },
};

interface TailLine {
  /** As it is shown. */
  readonly text: (terminal: Terminal) => string;
  readonly json: unknown;
}

function show({ text, json }: TailLine, given: Given, { terminal }: World): void {
  terminal.out(given.flag('json') ? `${JSON.stringify(json)}\n` : `${text(terminal)}\n`);
}

/** Traces by their first span. */
class RequestTail {
  readonly #plane: PlaneClient;
  readonly #parameters: Readonly<Record<string, string>>;
  readonly #seen = new Set<string>();
  #sinceMs: number | undefined;

  constructor(plane: PlaneClient, given: Given) {
    const service = given.text('service');
    this.#plane = plane;
    this.#parameters = {
      limit: '200',
      ...(service !== undefined && { service }),
      ...(given.flag('failed') && { tags: '{"error":"true"}' }),
    };
  }

  async next({ clock }: Runtime): Promise<readonly TailLine[]> {
    const nowMs = clock.wallMs();
    this.#sinceMs ??= nowMs - 5000;
    const end = String(Math.floor((nowMs - settleMs) * 1000));
    const start = String(Math.floor((this.#sinceMs - settleMs) * 1000));
    const found = await this.#plane.get<{ data: readonly JaegerTrace[] }>('/api/traces', {
      ...this.#parameters,
      start,
      end,
    });
    this.#sinceMs = nowMs;
    const fresh = (found?.data ?? []).filter(({ traceID }) => !this.#seen.has(traceID));
    for (const { traceID } of fresh) this.#seen.add(traceID);
    // Enough to know again what the next look may bring once more.
    for (const id of this.#seen) {
      if (this.#seen.size <= 5000) break;
      this.#seen.delete(id);
    }
    return fresh.flatMap(requestLine).toSorted((a, b) => a.startUs - b.startUs);
  }
}

function requestLine(trace: JaegerTrace): (TailLine & { readonly startUs: number })[] {
  const root = rootOf(trace);
  if (root === undefined) return [];
  const service = trace.processes[root.processID]?.serviceName ?? '';
  const failed = tagOf(root, 'error') === 'true';
  const status =
    tagOf(root, 'http.response.status_code') || tagOf(root, 'heddle.code') || (failed ? 'failed' : 'ok');
  const { startTime: startUs, duration, operationName } = root;
  const json = {
    time: new Date(startUs / 1000).toISOString(),
    service,
    operation: operationName,
    status,
    failed,
  };
  return [
    {
      startUs,
      json: { ...json, durationUs: duration, spans: trace.spans.length, traceId: trace.traceID },
      text: (terminal) =>
        [
          paint(terminal, 'dim', timeText(startUs)),
          service.padEnd(12),
          fitted(operationName, terminal),
          paint(terminal, failed ? 'red' : 'green', status.padEnd(6)),
          durationText(duration).padStart(8),
          `${String(trace.spans.length).padStart(3)} spans`,
          paint(terminal, 'dim', trace.traceID),
        ].join('  '),
    },
  ];
}

/** The ids at the end are for copying: a narrow terminal must not break them. */
function fitted(operation: string, { interactive, width }: Terminal): string {
  const room = interactive ? Math.max(16, Math.min(40, width - 93)) : 40;
  return operation.length > room ? `${operation.slice(0, room - 1)}…` : operation.padEnd(room);
}

interface LoggedLine {
  readonly timeUs: number;
  readonly severity: number;
  readonly severityText: string;
  readonly body: string;
  readonly service: string;
  readonly traceId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Lines by their time. */
class LogTail {
  readonly #plane: PlaneClient;
  readonly #parameters: Readonly<Record<string, string>>;
  #sinceUs: number | undefined;

  constructor(plane: PlaneClient, given: Given) {
    const service = given.text('service');
    const text = given.text('text');
    this.#plane = plane;
    this.#parameters = {
      limit: '1000',
      ...(service !== undefined && { service }),
      ...(text !== undefined && { text }),
      ...(given.flag('failed') && { level: 'warn' }),
    };
  }

  async next({ clock }: Runtime): Promise<readonly TailLine[]> {
    this.#sinceUs ??= (clock.wallMs() - 5000) * 1000;
    const from = String(Math.floor(this.#sinceUs / 1000));
    const found = await this.#plane.get<{ lines: readonly LoggedLine[] }>('/api/logs', {
      ...this.#parameters,
      from,
    });
    const since = this.#sinceUs;
    const fresh = (found?.lines ?? []).filter(({ timeUs }) => timeUs > since).toReversed();
    this.#sinceUs = fresh.at(-1)?.timeUs ?? since;
    return fresh.map((line) => ({ json: line, text: (terminal) => lineText(line, terminal) }));
  }
}

function lineText(
  { timeUs, severity, severityText, service, body, attributes }: LoggedLine,
  terminal: Terminal,
): string {
  const level = severityText.padEnd(5);
  const more = Object.entries(attributes).map(([key, value]) => `${key}=${String(value)}`);
  return [
    paint(terminal, 'dim', timeText(timeUs)),
    severity >= 17
      ? paint(terminal, 'red', level)
      : severity >= 13
        ? paint(terminal, 'yellow', level)
        : level,
    service.padEnd(12),
    [body, paint(terminal, 'dim', more.join(' '))].join('  ').trimEnd(),
  ].join('  ');
}

function timeText(us: number): string {
  return new Date(us / 1000).toISOString().slice(11, 23);
}
