import { analyse, readSystem, type System, systemOfTraces, type TraceSpan } from '@heddle/boundaries';
import { type Clock, HeddleError } from '@heddle/kernel';
import type { SpanData, TelemetryReader } from '@heddle/telemetry';
import { parseFile, placed } from '../commands/boundaries/document.ts';
import { isOwnTable, isPlumbing } from '../commands/boundaries/plumbing.ts';
import type { ConsoleRoute } from './console-api.ts';
import { oneOf, optional, readInput, text, whole } from './console-input.ts';

/** A thousand take a fifth of a second; more are for the command, which has a process of its own. */
const mostCapabilities = 1000;
const kinds = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

/** Which services there should be: from a document, or from the traces of the last hour. Changes nothing. */
export function boundaryRoutes(reader: TelemetryReader, clock: Clock): ConsoleRoute[] {
  return [
    {
      method: 'POST',
      path: '/boundaries',
      role: 'viewer',
      run: async ({ body }) => {
        const given = readInput(body, {
          from: oneOf(['document', 'traces']),
          document: optional(text(900_000)),
          services: optional(whole(1, 500)),
        });
        const system =
          given.from === 'traces' ? await systemOfLastHour(reader, clock) : systemIn(given.document ?? '');
        if (system.capabilities.length > mostCapabilities) throw tooMany(system.capabilities.length);
        return analyse(system, given.services === undefined ? {} : { services: given.services });
      },
    },
  ];
}

async function systemOfLastHour(reader: TelemetryReader, clock: Clock): Promise<System> {
  const toMs = clock.wallMs();
  const query = { fromUs: (toMs - 3_600_000) * 1000, toUs: (toMs + 1000) * 1000, tags: {}, limit: 2000 };
  const traces = await reader.search(query);
  const spans = traces
    .filter(({ spans: all }) => !isPlumbing(rootName(all)))
    .flatMap(({ spans: all }) => all.filter(({ name }) => !isOwnTable(name)).map(spanOf));
  if (spans.length === 0)
    throw bad('NO_TRACES', 'no traces were kept in the last hour: send some calls, or give a document');
  return systemOfTraces(spans);
}

/** The name of what a trace begins with; of one that was kept in part, its first span. */
function rootName(spans: readonly SpanData[]): string {
  const known = new Set(spans.map(({ spanId }) => spanId));
  return spans.find(({ parentSpanId }) => !known.has(parentSpanId))?.name ?? '';
}

function spanOf({ traceId, spanId, parentSpanId, resource, name, kind, attributes }: SpanData): TraceSpan {
  const texts = Object.entries(attributes).map(
    ([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)] as const,
  );
  return {
    traceId,
    spanId,
    parentSpanId,
    service: resource.service,
    name,
    kind: kinds[kind] ?? 'internal',
    attributes: new Map(texts),
  };
}

function systemIn(document: string): System {
  const file = parseFile('document', document);
  const checked = readSystem(file.value);
  if (checked.ok) return checked.value;
  throw bad('BOUNDARIES_INPUT', placed(file, checked.problems).join('\n'));
}

function tooMany(found: number): HeddleError {
  return bad(
    'TOO_MANY_CAPABILITIES',
    `expected at most ${mostCapabilities} capabilities here, found ${found}; "heddle boundaries analyse" takes more`,
  );
}

function bad(reason: string, message: string): HeddleError {
  return new HeddleError({ code: 'invalid_argument', reason, message, sent: false });
}
