import { type Clock, HeddleError } from '@heddle/kernel';
import { type HttpRequest, type HttpService, statusOfCode } from '@heddle/wire';
import { jsonAnswer, ParameterReader, targetOf } from '../query/http-answers.ts';
import { type MeshQuery, meshMetrics } from './mesh-metrics.ts';

/** Whether a request is one for `meshMetricsApi`, by its path. */
export function isMeshMetricsQuery({ path }: HttpRequest): boolean {
  return targetOf(path).path === '/api/mesh-metrics';
}

/** `GET /api/mesh-metrics?to=&windowMs=`: see `MeshMetrics`. Read only; default the last five minutes. */
export function meshMetricsApi(query: MeshQuery, clock: Clock): HttpService {
  return async ({ method, path }) => {
    try {
      if (method !== 'GET') return jsonAnswer(405, { error: 'this API is read only' });
      const read = new ParameterReader(targetOf(path).parameters);
      const toMs = read.whole('to', Math.floor(clock.wallMs()), 0, 8.64e15);
      const windowMs = read.whole('windowMs', 300_000, 1000, 30 * 86_400_000);
      read.check();
      return jsonAnswer(200, await meshMetrics(query, toMs, windowMs));
    } catch (thrown) {
      const { code, message } = HeddleError.from(thrown);
      return jsonAnswer(statusOfCode(code), { error: message });
    }
  };
}
