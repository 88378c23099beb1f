import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, correlationId, HeddleError, settle } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { emptyBody, Fields, type HttpRequest, type HttpResponse } from '@heddle/wire';
import { accessLog } from './access-log.ts';

const request: HttpRequest = {
  method: 'GET',
  scheme: 'http',
  authority: 'x',
  path: '/orders/7?token=secret',
  fields: new Fields(),
  body: emptyBody,
};

test('a line for each request, without its query; one that failed is a warning', async () => {
  const lines: unknown[] = [];
  const runtime = { ...bareRuntime(new VirtualTime()), log: (...line: unknown[]) => void lines.push(line) };
  const answer = (status: number) => async (): Promise<HttpResponse> => ({
    status,
    fields: new Fields(),
    body: emptyBody,
  });
  const refused = new HeddleError({ code: 'unavailable', reason: 'NO_INSTANCES', message: 'none' });
  for (const service of [answer(200), answer(503), () => Promise.reject(refused)])
    await settle(accessLog(service), request, Call.root(runtime).set(correlationId, 'r-1'));
  const about = { method: 'GET', path: '/orders/7', ms: 0, requestId: 'r-1' };
  assert.deepEqual(lines, [
    ['info', 'request', { ...about, status: 200 }],
    ['warn', 'request', { ...about, status: 503 }],
    ['warn', 'request', { ...about, reason: 'NO_INSTANCES' }],
  ]);
});
