import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wholeBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import type { HttpService } from '../message/http.ts';
import { Http1Server } from './server.ts';
import { http1ServerLimits } from './server-limits.ts';
import { HandConnection, settled } from './testdata/hand-connection.ts';
import { handRuntime } from './testdata/hand-runtime.ts';
import { type RequestCase, requestCases } from './testdata/request-cases.ts';

/** What a server makes of a case. */
interface Reading {
  readonly served: readonly string[];
  readonly statuses: readonly number[];
  readonly closes: boolean;
}

async function read(bytes: string, cuts: readonly number[]): Promise<Reading> {
  const served: string[] = [];
  const service: HttpService = async ({ method, authority, path, body, protocol }) => {
    const content = protocol === undefined ? Buffer.from(await body.bytes(100_000)).toString('latin1') : '';
    served.push(`${method} ${authority} ${path}${content === '' ? '' : ` ${content}`}`);
    return { status: 200, fields: new Fields(), body: wholeBody(Buffer.from('ok')) };
  };
  const runtime = handRuntime();
  const server = new Http1Server(service, runtime, http1ServerLimits);
  const connection = new HandConnection();
  server.accept(connection);
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    connection.feed(bytes.slice(from, cut));
    await settled();
    from = cut;
  }
  // Answers to a pipeline wait for the end of the turn.
  await runtime.time.advance(0);
  const statuses = [...connection.written.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
  const reading = { served, statuses, closes: connection.ended };
  connection.close();
  return reading;
}

function expected({ served, refused }: RequestCase): Reading {
  const statuses = served.map(() => 200);
  if (refused !== undefined && refused !== 200) statuses.push(refused);
  return { served, statuses, closes: refused !== undefined };
}

describe('requests, whole', () => {
  for (const request of requestCases) {
    it(`${request.section}: ${request.what}`, async () => {
      assert.deepEqual(await read(request.bytes, []), expected(request));
    });
  }
});

describe('requests, in pieces', () => {
  it('is read the same byte by byte', async () => {
    for (const request of requestCases) {
      const { bytes, section, what } = request;
      if (bytes.length > 1000) continue;
      const cuts = Array.from({ length: bytes.length - 1 }, (_, at) => at + 1);
      assert.deepEqual(await read(bytes, cuts), expected(request), `${section}: ${what}`);
    }
  });

  it('is read the same when cut in two, anywhere', async () => {
    for (const request of requestCases) {
      const { bytes, section, what } = request;
      if (bytes.length > 400) continue;
      for (let cut = 1; cut < bytes.length; cut++) {
        assert.deepEqual(await read(bytes, [cut]), expected(request), `${section}: ${what}, cut at ${cut}`);
      }
    }
  });

  it('is read the same in pieces of 1000 bytes', async () => {
    for (const request of requestCases) {
      const { bytes, section, what } = request;
      const cuts = Array.from({ length: Math.floor((bytes.length - 1) / 1000) }, (_, at) => (at + 1) * 1000);
      assert.deepEqual(await read(bytes, cuts), expected(request), `${section}: ${what}`);
    }
  });
});

describe('the table of requests', () => {
  it('has at least 120 cases, each by a name of its own', () => {
    assert.ok(requestCases.length >= 120, `${requestCases.length} cases`);
    const names = requestCases.map(({ section, what }) => `${section}: ${what}`);
    assert.deepEqual(
      names.filter((name, at) => names.indexOf(name) !== at),
      [],
    );
  });
});
