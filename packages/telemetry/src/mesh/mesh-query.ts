import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { emptyBody, endpoint, Fields } from '@heddle/wire';
import { queryInstant } from '../promql/evaluate.ts';
import { parsePromQl } from '../promql/parse.ts';
import type { MetricReader } from '../query/prometheus-api.ts';
import type { MeshQuery } from './mesh-metrics.ts';

const limitMs = 10_000;
const longestAnswer = 32 * 1024 * 1024;
/** Anonymous, and believing the authorities that Node comes with. */
const usualRoots = { current: { identities: [] } };

/** Asks the built-in store. */
export function storeQuery(reader: MetricReader): MeshQuery {
  return async (text, timeMs) => {
    const expression = parsePromQl(text);
    const range = { startMs: timeMs, endMs: timeMs, stepMs: 0 };
    const answer = queryInstant(await reader.sourceFor(expression, range), expression, range);
    if (answer.type !== 'vector') return [];
    return answer.elements.flatMap(({ labels, value }) =>
      typeof value === 'number' ? [{ labels: labels.toRecord(), value }] : [],
    );
  };
}

interface PrometheusAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [number, string];
    }[];
  };
}

/** Asks a Prometheus, by its URL (http or https). Rejects with `unavailable` / `PROMETHEUS` where it has no answer. */
export function prometheusQuery(runtime: Runtime, url: string): MeshQuery {
  const { protocol, hostname, port, host, pathname } = new URL(url);
  const secure = protocol === 'https:';
  const way = endpoint({
    runtime,
    address: { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (secure ? 443 : 80)) },
    protocol: 'http1',
    ...(secure && { tls: { source: usualRoots } }),
  });
  return async (query, timeMs) => {
    const call = Call.root(runtime, runtime.clock.nowMs() + limitMs);
    const timer = runtime.timers.after(limitMs, () => call.cancel(unanswered(host, 'no answer in time')));
    try {
      const parameters = new URLSearchParams({ query, time: String(timeMs / 1000) }).toString();
      const request = {
        method: 'GET',
        scheme: secure ? ('https' as const) : ('http' as const),
        authority: host,
        path: `${pathname.replace(/\/$/, '')}/api/v1/query?${parameters}`,
        fields: new Fields(),
        body: emptyBody,
      };
      const result = await settle(way.request, request, call);
      if (!result.ok) throw unanswered(host, result.error.message);
      const text = new TextDecoder().decode(await result.value.body.bytes(longestAnswer));
      const { status, data, error = text.slice(0, 200) } = JSON.parse(text) as PrometheusAnswer;
      if (status !== 'success' || data === undefined) throw unanswered(host, error);
      return data.result.map(({ metric, value: [, value] }) => ({
        labels: metric,
        value: Number(value.replace('Inf', 'Infinity')),
      }));
    } finally {
      timer.cancel();
    }
  };
}

function unanswered(host: string, why: string): HeddleError {
  const message = `Prometheus at ${host}: ${why}`;
  return new HeddleError({ code: 'unavailable', reason: 'PROMETHEUS', message });
}
