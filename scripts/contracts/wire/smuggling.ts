// The table of requests that gateways have been tricked with, and the honest ones beside them, over real sockets.
import assert from 'node:assert/strict';
import { nodeRuntime } from '@heddle/kernel/node';
import { Fields, type HttpServer, type HttpService, serve, wholeBody } from '@heddle/wire';
import { exchangeRaw } from '../../../packages/wire/src/http1/testdata/raw-peer.ts';
import { type RequestCase, requestCases } from '../../../packages/wire/src/http1/testdata/request-cases.ts';
import { type Contract, type ContractResult, resultOf } from '../result.ts';

const backend = 'smuggling';
const last = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const contentLimit = 100_000;
const patienceMs = 100;

/** Each row of the table is a result. */
export const smuggling: Contract = {
  backend,
  run: async () => {
    const served: string[] = [];
    const server = await start(served);
    try {
      const results: ContractResult[] = [];
      for (const request of requestCases) {
        const name = `${request.section}: ${request.what}`;
        served.length = 0;
        results.push(await resultOf(backend, '', name, () => check(request, server.address.port, served)));
      }
      return results;
    } finally {
      await server.stop();
    }
  },
};

function start(served: string[]): Promise<HttpServer> {
  const service: HttpService = async ({ method, authority, path, body, protocol }) => {
    const content =
      protocol === undefined ? Buffer.from(await body.bytes(contentLimit)).toString('latin1') : '';
    served.push(`${method} ${authority} ${path}${content === '' ? '' : ` ${content}`}`);
    return { status: 200, fields: new Fields(), body: wholeBody(Buffer.from('ok')) };
  };
  const runtime = nodeRuntime({ name: 'smuggling', logLevel: 'error' });
  const limits = { http1: { headMs: patienceMs, bodyIdleMs: patienceMs } };
  return serve(service, { runtime, address: { host: '127.0.0.1', port: 0 }, limits });
}

/** What the service saw and what was answered; where the connection is to stay in step, one more request proves it. */
async function check(
  { bytes, served: expected, refused }: RequestCase,
  port: number,
  served: string[],
): Promise<void> {
  // A case of which nothing is served and nothing refused waits for more: then time brings the refusal.
  const waits = expected.length === 0 && refused === undefined;
  const stays = refused === undefined && !waits;
  const received = await exchangeRaw(port, stays ? bytes + last : bytes);
  assert.deepEqual(served, stays ? [...expected, 'GET a /last'] : expected, 'what the service saw');
  const statuses = Array.from(received.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => Number(status));
  const final = refused ?? (waits ? 408 : 200);
  assert.deepEqual(statuses, expected.map(() => 200).concat(refused === 200 ? [] : [final]), 'statuses');
}
