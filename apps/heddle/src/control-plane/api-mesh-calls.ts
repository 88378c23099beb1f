import type { Clock } from '@heddle/kernel';
import type { MeshModel } from '@heddle/mesh/model';
import type { RecordedCall } from '@heddle/mesh/rehearse';
import { loadResources, type ResourceFile } from '@heddle/mesh/resources';
import { translate } from '@heddle/mesh/translate';
import type { SpanData, TelemetryReader } from '@heddle/telemetry';
import type { MeshScope } from './api-mesh-store.ts';

const hourMs = 3_600_000;
const mostTraces = 1000;
const server = 2;

/**
 * The calls between services of the last hour by their traces, as the rules of a mesh see them: a service of a trace is
 * the host that begins with its name, a caller the workload of its name. The same call many times is one with a count.
 */
export async function recordedCalls(
  reader: TelemetryReader,
  clock: Clock,
  files: readonly ResourceFile[],
  scope: MeshScope,
): Promise<readonly RecordedCall[]> {
  const model = translate(loadResources(files, scope).resources, scope);
  const toUs = (clock.wallMs() + 1000) * 1000;
  const traces = await reader.search({ fromUs: toUs - hourMs * 1000, toUs, tags: {}, limit: mostTraces });
  const calls = new Map<string, RecordedCall>();
  for (const { spans } of traces) {
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    for (const span of spans) {
      const call = callOf(span, byId, model);
      if (call === undefined) continue;
      const key = JSON.stringify([call.from, call.host, call.method, call.path]);
      calls.set(key, { ...call, count: (calls.get(key)?.count ?? 0) + 1 });
    }
  }
  return [...calls.values()];
}

function callOf(
  { kind, parentSpanId, resource, attributes }: SpanData,
  byId: ReadonlyMap<string, SpanData>,
  model: MeshModel,
): RecordedCall | undefined {
  if (kind !== server) return undefined;
  const [method, path, rpc] = [
    attributes['http.request.method'],
    attributes['url.path'],
    attributes['rpc.method'],
  ];
  const isHttp = typeof method === 'string' && typeof path === 'string';
  const asked = isHttp
    ? { method, path }
    : { method: 'POST', path: typeof rpc === 'string' ? `/${rpc}` : '' };
  if (asked.path === '') return undefined;
  const caller = byId.get(parentSpanId)?.resource.service ?? '';
  const { host, port } = hostOf(resource.service, model);
  return {
    from: workloadOf(caller === resource.service ? '' : caller, model),
    principal: '',
    sourceIp: '',
    host,
    port,
    ...asked,
    headers: {},
    count: 1,
  };
}

function hostOf(service: string, { services }: MeshModel): { host: string; port: number } {
  const found = services.find(({ host, aliases }) =>
    [host, ...aliases].some((name) => name.split('.')[0] === service),
  );
  return { host: found?.host ?? service, port: found?.port ?? 0 };
}

function workloadOf(service: string, { workloads }: MeshModel): string {
  if (service === '') return '';
  return [...workloads.keys()].find((name) => name.split('/')[1] === service) ?? `default/${service}`;
}
