// Both tables of cases again, over sockets: `serve` against bytes from outside, `endpoint` against a bad upstream.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Call, settle } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { endpoint } from './endpoint.ts';
import { exchangeRaw, listenRaw } from './http1/testdata/raw-peer.ts';
import { requestCases } from './http1/testdata/request-cases.ts';
import { responseCases } from './http1/testdata/response-cases.ts';
import { emptyBody, wholeBody } from './message/body.ts';
import { Fields } from './message/fields.ts';
import type { HttpService } from './message/http.ts';
import { type HttpServer, serve } from './server.ts';

const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const anyPort = { host: '127.0.0.1', port: 0 };
const last = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

describe('requests over sockets', () => {
  let server: HttpServer;
  let served: string[] = [];
  const service: HttpService = async ({ method, authority, path, body, protocol }) => {
    const content = protocol === undefined ? Buffer.from(await body.bytes(100_000)).toString('latin1') : '';
    served.push(`${method} ${authority} ${path}${content === '' ? '' : ` ${content}`}`);
    return { status: 200, fields: new Fields(), body: wholeBody(Buffer.from('ok')) };
  };

  before(async () => {
    server = await serve(service, {
      runtime,
      address: anyPort,
      limits: { http1: { headMs: 100, bodyIdleMs: 100 } },
    });
  });
  after(() => server.stop());

  for (const { section, what, bytes, served: expected, refused } of requestCases) {
    it(`${section}: ${what}`, async () => {
      served = [];
      // A case that nothing is served of, and nothing refused, waits for more: time brings the refusal then.
      const waits = expected.length === 0 && refused === undefined;
      const stays = refused === undefined && !waits;
      const received = await exchangeRaw(server.address.port, stays ? bytes + last : bytes);
      const statuses = Array.from(received.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => Number(status));
      assert.deepEqual(served, stays ? [...expected, 'GET a /last'] : expected);
      const lastStatus = refused ?? (waits ? 408 : 200);
      const answers = expected.map(() => 200).concat(refused === 200 ? [] : [lastStatus]);
      assert.deepEqual(statuses, answers);
    });
  }

  it('has counted what it refused', () => {
    const refused = [...server.refusals.values()].reduce((sum, count) => sum + count, 0);
    const waiting = requestCases.filter(
      (request) => request.refused === undefined && request.served.length === 0,
    );
    const expected = requestCases.filter((request) => (request.refused ?? 0) >= 400).length + waiting.length;
    assert.equal(refused, expected);
    assert.ok((server.refusals.get('BAD_CONTENT_LENGTH') ?? 0) > 10);
  });

  it('has no connection left', async () => {
    await server.drain();
    assert.equal(server.connections, 0);
  });
});

describe('answers over sockets', () => {
  for (const { section, what, method, bytes, ends, answer, failed, reused } of responseCases) {
    it(`${section}: ${what}`, async () => {
      let connections = 0;
      const upstream = await listenRaw((socket) => {
        connections++;
        const firstOfAll = connections === 1;
        let answers = 0;
        socket.on('data', () => {
          answers++;
          if (!firstOfAll || answers > 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext');
          else if (ends) socket.end(bytes, 'latin1');
          else socket.write(bytes, 'latin1');
        });
      });
      const target = endpoint({
        runtime,
        address: { host: '127.0.0.1', port: upstream.port },
        protocol: 'http1',
      });
      const ask = async (
        verb: string,
      ): Promise<{ answer: string | undefined; failed: string | undefined }> => {
        const request = {
          scheme: 'http',
          authority: 'a',
          path: '/',
          fields: new Fields(),
          body: emptyBody,
        } as const;
        const result = await settle(target.request, { ...request, method: verb }, Call.root(runtime));
        if (!result.ok) return { answer: undefined, failed: result.error.reason };
        const { status, body } = result.value;
        let reason: string | undefined;
        const content = await body.bytes(100_000).catch((error) => {
          reason = error.reason;
          return Buffer.alloc(0);
        });
        const text = Buffer.from(content).toString('latin1');
        return { answer: `${status}${text === '' ? '' : ` ${text}`}`, failed: reason };
      };
      assert.deepEqual(await ask(method), { answer, failed });
      // Whatever came, the pool is as good as new, and what came too much is nobody's answer.
      assert.deepEqual(await ask('GET'), { answer: '200 next', failed: undefined });
      assert.equal(connections, reused ? 1 : 2);
      target.close();
      await upstream.close();
    });
  }
});
