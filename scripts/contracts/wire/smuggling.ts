// The table of requests that gateways have been tricked with, and the honest ones beside them, over real sockets.
import assert from 'node:assert/strict';
import { nodeRuntime } from '@heddle/kernel/node';
import { Fields, type HttpServer, type HttpService, type ServerLimits, serve, wholeBody } from '@heddle/wire';
import { exchangeRaw } from '../../../packages/wire/src/http1/testdata/raw-peer.ts';
import { type RequestCase, requestCases } from '../../../packages/wire/src/http1/testdata/request-cases.ts';
import { type Contract, type ContractResult, resultOf } from '../result.ts';

const backend = 'smuggling';
const last = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const contentLimit = 100_000;
// For the cases that end by a time limit; the others must not end by it on a slow machine.
const impatienceMs = 100;

/** Each row of the table is a result. */
export const smuggling: Contract = {
  backend,
  run: async () => {
    const seen: string[] = [];
    const patient = await start(seen, {});
    const impatient = await start(seen, { headMs: impatienceMs, bodyIdleMs: impatienceMs });
    try {
      const results: ContractResult[] = [];
      for (const request of requestCases) {
        const name = `${request.section}: ${request.what}`;
        const { port } = (waits(request) ? impatient : patient).address;
        seen.length = 0;
        results.push(await resultOf(backend, '', name, () => check(request, port, seen)));
      }
      return results;
    } finally {
      await Promise.all([patient.stop(), impatient.stop()]);
    }
  },
};

function start(served: string[], http1: NonNullable<ServerLimits['http1']>): Promise<HttpServer> {
  const service: HttpService = async ({ method, authority, path, body, protocol }) => {
    const content =
      protocol === undefined ? Buffer.from(await body.bytes(contentLimit)).toString('latin1') : '';
    served.push(`${method} ${authority} ${path}${content === '' ? '' : ` ${content}`}`);
    return { status: 200, fields: new Fields(), body: wholeBody(Buffer.from('ok')) };
  };
  const runtime = nodeRuntime({ name: 'smuggling', logLevel: 'error' });
  return serve(service, { runtime, address: { host: '127.0.0.1', port: 0 }, limits: { http1 } });
}

/** A case of which nothing is served and nothing refused waits for more: then time brings the refusal. */
function waits({ served, refused }: RequestCase): boolean {
  return served.length === 0 && refused === undefined;
}

/** What the service saw and what was answered; where the connection is to stay in step, one more request proves it. */
async function check(request: RequestCase, port: number, seen: readonly string[]): Promise<void> {
  const { bytes, served, refused } = request;
  const stays = refused === undefined && !waits(request);
  const received = await exchangeRaw(port, stays ? bytes + last : bytes);
  assert.deepEqual(seen, stays ? [...served, 'GET a /last'] : served, 'what the service saw');
  const statuses = Array.from(received.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => Number(status));
  const final = refused ?? (waits(request) ? 408 : 200);
  assert.deepEqual(statuses, served.map(() => 200).concat(refused === 200 ? [] : [final]), 'statuses');
}
