import type { Layer } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { jsonAnswer } from './json-answer.ts';

/** Whether new requests should come here; `why` names what is missing if not. */
export type Readiness = () => { readonly ready: boolean; readonly why?: string };

/** Answers `/healthz` (200 while the process can answer at all) and `/readyz` (200 or 503 by `readiness`) itself. */
export function health(readiness: Readiness): Layer<HttpRequest, HttpResponse> {
  const ofReadiness = async (): Promise<HttpResponse> => {
    const { ready, why } = readiness();
    return ready ? jsonAnswer(200, { status: 'ready' }) : jsonAnswer(503, { status: 'not ready', why });
  };
  return (next) => (req, call) => {
    if (req.path === '/healthz') return Promise.resolve(jsonAnswer(200, { status: 'ok' }));
    return req.path === '/readyz' ? ofReadiness() : next(req, call);
  };
}
