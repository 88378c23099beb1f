import type { MeshModel } from '@heddle/mesh/model';
import type { RecordedCall } from '@heddle/mesh/rehearse';

/** A span, as far as it tells of a call. */
export interface CallSpan {
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly service: string;
  readonly isServer: boolean;
  readonly attribute: (key: string) => string | undefined;
}

/**
 * The calls between services that traces tell of, as the rules of a mesh see them: a service of a trace is the host that
 * begins with its name, a caller the workload of its name. The same call many times is one with a count.
 */
export function tracedCalls(
  traces: Iterable<readonly CallSpan[]>,
  model: MeshModel,
): readonly RecordedCall[] {
  const calls = new Map<string, RecordedCall>();
  for (const spans of traces) {
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
  { isServer, parentSpanId, service, attribute }: CallSpan,
  byId: ReadonlyMap<string, CallSpan>,
  model: MeshModel,
): RecordedCall | undefined {
  if (!isServer) return undefined;
  const [method, path, rpc] = [
    attribute('http.request.method'),
    attribute('url.path'),
    attribute('rpc.method'),
  ];
  const isHttp = method !== undefined && path !== undefined;
  const asked = isHttp ? { method, path } : { method: 'POST', path: rpc === undefined ? '' : `/${rpc}` };
  if (asked.path === '') return undefined;
  const caller = byId.get(parentSpanId)?.service ?? '';
  const { host, port } = hostOf(service, model);
  const from = workloadOf(caller === service ? '' : caller, model);
  return { from, principal: '', sourceIp: '', host, port, ...asked, headers: {}, count: 1 };
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
