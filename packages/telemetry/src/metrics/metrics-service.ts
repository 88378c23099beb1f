import { Fields, type HttpService, wholeBody } from '@heddle/wire';
import { expose, expositionType } from './exposition.ts';
import type { MetricRegistry } from './registry.ts';

const encoder = new TextEncoder();

/** Answers GET and HEAD of `/metrics` with the registry's exposition, and all else with 404 or 405. */
export function metricsService(registry: MetricRegistry): HttpService {
  return async (req) => {
    const path = req.path.split('?', 1)[0];
    if (path !== '/metrics') return answer(404, 'text/plain', 'not found\n');
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      const refused = answer(405, 'text/plain', 'use GET\n');
      refused.fields.set('allow', 'GET, HEAD');
      return refused;
    }
    return answer(200, expositionType, req.method === 'HEAD' ? '' : expose(registry));
  };
}

function answer(status: number, type: string, text: string): Awaited<ReturnType<HttpService>> {
  return { status, fields: Fields.of({ 'content-type': type }), body: wholeBody(encoder.encode(text)) };
}
