import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Call, HeddleError, perform } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { Fields, type HttpRequest, type HttpResponse, wholeBody } from '@heddle/wire';
import { httpApi } from './http-api.ts';

const api = httpApi({
  'GET /orders/{orderId}': async ({ parameters, query }) => ({
    status: 200,
    body: { ...parameters, page: query.get('page') },
  }),
  'POST /orders': async ({ json }) => ({ status: 201, body: await json() }),
  'GET /broken': () => Promise.reject(new Error('a secret of ours')),
  'GET /missing': () =>
    Promise.reject(new HeddleError({ code: 'not_found', reason: 'NO_SUCH_ORDER', message: 'none' })),
});

function request(method: string, path: string, body = ''): HttpRequest {
  const content = wholeBody(new TextEncoder().encode(body));
  return { method, path, scheme: 'http', authority: 'shop', fields: new Fields(), body: content };
}

async function ask(req: HttpRequest): Promise<{ response: HttpResponse; body: Record<string, unknown> }> {
  const response = await perform(api.service, req, Call.root(bareRuntime(new VirtualTime())));
  const text = new TextDecoder().decode(await response.body.bytes(10_000));
  return { response, body: JSON.parse(text) as Record<string, unknown> };
}

describe('httpApi', () => {
  test('matches whole segments and decodes them', async () => {
    const { response, body } = await ask(request('GET', '/orders/o%2F1?page=2'));
    assert.equal(response.status, 200);
    assert.deepEqual(body, { orderId: 'o/1', page: '2' });
  });

  test('names the route of a request, never its raw path', () => {
    assert.equal(api.endpointOf(request('GET', '/orders/1?x=1')), '/orders/{orderId}');
    assert.equal(api.endpointOf(request('DELETE', '/orders/1')), '/orders/{orderId}');
    assert.equal(api.endpointOf(request('GET', '/ordersx/1')), undefined);
  });

  const answers: readonly (readonly [string, HttpRequest, number, string])[] = [
    ['an unknown path', request('GET', '/nothing'), 404, 'NO_SUCH_PATH'],
    ['an empty segment', request('GET', '/orders/'), 404, 'NO_SUCH_PATH'],
    ['a longer path', request('GET', '/orders/1/2'), 404, 'NO_SUCH_PATH'],
    ['another method', request('DELETE', '/orders/1'), 405, 'METHOD_NOT_ALLOWED'],
    ['a torn escape', request('GET', '/orders/%zz'), 400, 'BAD_PATH'],
    ['no JSON', request('POST', '/orders', '{'), 400, 'NOT_JSON'],
    [
      'bytes that are no UTF-8',
      { ...request('POST', '/orders'), body: wholeBody(Uint8Array.of(0xff)) },
      400,
      'NOT_JSON',
    ],
    ['JSON that is no object', request('POST', '/orders', '[]'), 400, 'INVALID_FIELD'],
    ['too much', request('POST', '/orders', 'x'.repeat(65_537)), 429, 'BODY_TOO_LARGE'],
    ['an error of the business', request('GET', '/missing'), 404, 'NO_SUCH_ORDER'],
  ];
  for (const [what, req, status, reason] of answers) {
    test(`${what}: ${status} ${reason}`, async () => {
      const { response, body } = await ask(req);
      assert.equal(response.status, status);
      assert.equal(response.fields.get('content-type'), 'application/problem+json');
      assert.equal(body['reason'], reason);
    });
  }

  test('a mistake in code tells the client nothing', async () => {
    const { response, body } = await ask(request('GET', '/broken'));
    assert.equal(response.status, 500);
    assert.doesNotMatch(JSON.stringify(body), /secret/);
  });

  test('another method is told which there are', async () => {
    const { response } = await ask(request('DELETE', '/orders'));
    assert.equal(response.fields.get('allow'), 'POST');
  });
});
