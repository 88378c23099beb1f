import { Fields, type HttpService, wholeBody } from '@heddle/wire';
import { expose, exposeOpenMetrics, expositionType, openMetricsType } from './exposition.ts';
import type { MetricRegistry } from './registry.ts';

const encoder = new TextEncoder();

/**
 * Answers GET and HEAD of `/metrics` with the registry's exposition, and all else with 404 or 405. Those that ask for
 * OpenMetrics, as Prometheus does, get that with exemplars; others the text format.
 */
export function metricsService(registry: MetricRegistry): HttpService {
  return async (req) => {
    const path = req.path.split('?', 1)[0];
    if (path !== '/metrics') return answer(404, 'text/plain', 'not found\n');
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      const refused = answer(405, 'text/plain', 'use GET\n');
      refused.fields.set('allow', 'GET, HEAD');
      return refused;
    }
    const isOpen = /application\/openmetrics-text/i.test(req.fields.get('accept') ?? '');
    const [type, write] = isOpen ? [openMetricsType, exposeOpenMetrics] : ([expositionType, expose] as const);
    return answer(200, type, req.method === 'HEAD' ? '' : write(registry));
  };
}

function answer(status: number, type: string, text: string): Awaited<ReturnType<HttpService>> {
  return { status, fields: Fields.of({ 'content-type': type }), body: wholeBody(encoder.encode(text)) };
}
