import type { Instance } from '@heddle/discovery';
import { type Clock, HeddleError } from '@heddle/kernel';
import {
  type ConfigDocument,
  diffConfigs,
  explain,
  type GatewayConfig,
  loadGatewayDocuments,
  normalPath,
  readGatewayDocuments,
  type RouteConfig,
} from '@heddle/proxy';
import type { SpanData, TelemetryReader } from '@heddle/telemetry';
import { emptyBody, Fields } from '@heddle/wire';
import type { AdminClient } from './admin-client.ts';
import type { Asked, ConsoleRoute } from './console-api.ts';
import { optional, readInput, text, whole } from './console-input.ts';

const longestDocument = 500_000;
const replayed = 1000;

interface ServedVersion {
  readonly id: number;
  readonly documents?: readonly ConfigDocument[];
}

/** Gateways: versions of their routes, what a change would do, publishing it and going back. */
export function gatewayRoutes(admin: AdminClient, reader: TelemetryReader, clock: Clock): ConsoleRoute[] {
  const named = ({ at }: Asked): Promise<Instance> => admin.one('gateway', at['id'] ?? '');
  return [
    {
      method: 'GET',
      path: '/gateways',
      role: 'viewer',
      run: async () => ({
        gateways: (await admin.able('gateway')).map(({ id, zone, address, port }) => ({
          id,
          zone,
          address,
          port,
        })),
      }),
    },
    {
      method: 'GET',
      path: '/gateways/:id',
      role: 'viewer',
      run: async (asked) => {
        const gateway = await named(asked);
        const [versions, routes, upstreams] = await Promise.all(
          ['/versions', '/routes', '/upstreams'].map((path) => admin.ask<object>(gateway, { path })),
        );
        return { ...versions, ...routes, ...upstreams };
      },
    },
    {
      method: 'GET',
      path: '/gateways/:id/versions/:version',
      role: 'operator',
      run: async (asked) =>
        admin.ask(await named(asked), { path: `/versions/${Number(asked.at['version'])}` }),
    },
    {
      method: 'GET',
      path: '/gateways/:id/diff',
      role: 'viewer',
      run: async (asked) => {
        const [from, to] = ['from', 'to'].map((name) => Number(asked.query.get(name)));
        return admin.ask(await named(asked), { path: `/diff?from=${from}&to=${to}` });
      },
    },
    ...changeRoutes(admin, reader, clock),
  ];
}

function changeRoutes(admin: AdminClient, reader: TelemetryReader, clock: Clock): ConsoleRoute[] {
  const named = ({ at }: Asked): Promise<Instance> => admin.one('gateway', at['id'] ?? '');
  const current = async (gateway: Instance): Promise<number> =>
    (await admin.ask<{ current: number }>(gateway, { path: '/versions' })).current;
  const documentsOf = async (gateway: Instance, id: number): Promise<readonly ConfigDocument[]> =>
    (await admin.ask<ServedVersion>(gateway, { path: `/versions/${id}` })).documents ?? [];
  return [
    {
      method: 'POST',
      path: '/gateways/:id/plan',
      role: 'operator',
      asks: true,
      run: async (asked) => {
        const { content } = readInput(asked.body, { content: text(longestDocument) });
        const gateway = await named(asked);
        const before = loadGatewayDocuments(await documentsOf(gateway, await current(gateway)));
        return plan(before, content, await recorded(reader, clock));
      },
    },
    {
      method: 'POST',
      path: '/gateways/:id/publish',
      role: 'operator',
      run: async (asked) => {
        const given = readInput(asked.body, {
          content: text(longestDocument),
          expected: whole(1, 1e9),
          why: optional(text(500, 0)),
        });
        const gateway = await named(asked);
        await requireCurrent(await current(gateway), given.expected);
        // What has a mistake is not published, although the gateway itself would serve the routes that have none.
        readGatewayDocuments([{ source: 'console', content: given.content }]);
        const made = await admin.ask<{ id: number }>(gateway, {
          method: 'POST',
          path: '/config',
          content: given.content,
        });
        const changes = await admin.ask<{ changes: unknown }>(gateway, {
          path: `/diff?from=${given.expected}&to=${made.id}`,
        });
        asked.note({ before: { version: given.expected }, after: { version: made.id, ...changes } });
        return made;
      },
    },
    {
      method: 'POST',
      path: '/gateways/:id/rollback',
      role: 'operator',
      run: async (asked) => {
        const { to } = readInput(asked.body, { to: whole(1, 1e9), why: optional(text(500, 0)) });
        const gateway = await named(asked);
        const before = await current(gateway);
        const made = await admin.ask<{ id: number }>(gateway, { method: 'POST', path: `/rollback?to=${to}` });
        asked.note({ before: { version: before }, after: { version: made.id, as: to } });
        return made;
      },
    },
  ];
}

async function requireCurrent(current: number, expected: number): Promise<void> {
  if (current === expected) return;
  const message = `the change was made for version ${expected}, and ${current} is served now; look at it again`;
  throw new HeddleError({ code: 'aborted', reason: 'VERSION_CONFLICT', message, sent: false });
}

interface RecordedRequest {
  readonly method: string;
  readonly path: string;
}

/** What came through the gateway in the last hour, by its spans; the newest. */
async function recorded(reader: TelemetryReader, clock: Clock): Promise<readonly RecordedRequest[]> {
  const toMs = clock.wallMs();
  const query = {
    service: 'gateway',
    fromUs: (toMs - 3_600_000) * 1000,
    toUs: (toMs + 1000) * 1000,
    tags: {},
    limit: replayed,
  };
  const traces = await reader.search(query);
  return traces.flatMap(({ spans }) => spans.flatMap(requestOf));
}

function requestOf({ kind, resource, attributes }: SpanData): RecordedRequest[] {
  const [method, path] = [attributes['http.request.method'], attributes['url.path']];
  const isEntry = kind === 2 && resource.service === 'gateway';
  return isEntry && typeof method === 'string' && typeof path === 'string' ? [{ method, path }] : [];
}

/** What a document would change: its mistakes, values that differ, and where recorded requests would go instead. */
function plan(before: GatewayConfig, content: string, requests: readonly RecordedRequest[]): object {
  let after: GatewayConfig;
  try {
    after = readGatewayDocuments([{ source: 'console', content }]);
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    return { ok: false, problems: problemsIn(error), message: error.message };
  }
  const moved = new Map<string, { request: string; from: string; to: string; count: number }>();
  const perRoute = new Map<string, number>();
  for (const { method, path } of requests) {
    const [from, to] = [routeFor(before, method, path), routeFor(after, method, path)];
    perRoute.set(to, (perRoute.get(to) ?? 0) + 1);
    if (from === to) continue;
    const request = `${method} ${path}`;
    const known = moved.get(`${request} ${to}`);
    moved.set(`${request} ${to}`, { request, from, to, count: (known?.count ?? 0) + 1 });
  }
  return {
    ok: true,
    changes: diffConfigs(before, after),
    requests: requests.length,
    perRoute: Object.fromEntries(perRoute),
    unmatched: after.routes.map(labelOf).filter((label) => !perRoute.has(label)),
    moved: [...moved.values()].toSorted((a, b) => b.count - a.count).slice(0, 100),
  };
}

function problemsIn({ details, message }: HeddleError): unknown {
  const found = details.filter(({ type }) => type === 'heddle.ConfigProblem').map(({ value }) => value);
  return found.length > 0 ? found : [{ line: 1, column: 1, at: '', message }];
}

const none = '(none)';

/** Two routes may have one name, and differ in what they match. */
function labelOf({ name, match: { path } }: RouteConfig): string {
  const what = `${path.kind} ${path.value}`;
  return name === path.value ? what : `${name} (${what})`;
}

function routeFor({ routes }: GatewayConfig, method: string, target: string): string {
  const normal = normalPath(target);
  if (!normal.ok) return none;
  const request = {
    method,
    scheme: 'http',
    authority: 'localhost',
    path: normal.path,
    fields: new Fields(),
    body: emptyBody,
  } as const;
  const taken = explain(routes, request).find(({ verdict }) => verdict === 'taken');
  return taken === undefined ? none : labelOf(taken.route);
}
