import { decodeJson, encodeError, encodeJson } from '@heddle/discovery/clients';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { admit, type InjectSettings } from '@heddle/mesh/inject';
import type { MetricRegistry } from '@heddle/telemetry';
import {
  Fields,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  statusOfCode,
  wholeBody,
} from '@heddle/wire';

/** Where an API server sends its questions. */
export const injectPath = '/inject';
// An API server takes objects of 3 MiB at most, and a review holds one, or two.
const longestBytes = 8 * 1024 * 1024;

/**
 * Answers an API server's questions about pods: `POST /inject`, an AdmissionReview. `GET /healthz` says that it is here.
 * It keeps nothing and asks nobody, so that any number of them may run.
 */
export function injectWebhook(
  settings: InjectSettings,
  { log }: Pick<Runtime, 'log'>,
  metrics: MetricRegistry,
): HttpService {
  const answered = metrics.counter({
    name: 'heddle_injections_total',
    help: 'Pods that an API server has asked about, by what came of it',
    labels: ['outcome'],
  });
  return async (request) => {
    try {
      const path = request.path.split('?', 1)[0];
      if (request.method === 'GET' && path === '/healthz') return json(200, encodeJson({ ok: true }));
      if (request.method !== 'POST' || path !== injectPath) throw noSuchPath(request);
      const { review, subject, outcome, notes } = admit(
        decodeJson(await request.body.bytes(longestBytes)),
        settings,
      );
      answered.series(outcome).inc();
      log(outcome === 'refused' ? 'warn' : 'info', 'a pod was asked about', { subject, outcome, notes });
      return json(200, encodeJson(review));
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      log('warn', 'a question of an API server cannot be answered', { message: error.message });
      return json(statusOfCode(error.code), encodeError(error));
    }
  };
}

function noSuchPath({ method, path }: HttpRequest): HeddleError {
  const message = `the webhook has POST ${injectPath} and GET /healthz, found ${method} ${path.slice(0, 100)}`;
  return new HeddleError({ code: 'not_found', reason: 'NO_SUCH_PATH', message, sent: false });
}

function json(status: number, body: Uint8Array): HttpResponse {
  return { status, fields: Fields.of({ 'content-type': 'application/json' }), body: wholeBody(body) };
}
