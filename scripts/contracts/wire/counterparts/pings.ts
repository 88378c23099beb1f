// Keep-alive with gRPC's own programs, in both roles: a side that is asked too often says so in words that the other knows.
import assert from 'node:assert/strict';
import { Client, credentials, logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { Call, settle } from '@heddle/kernel';
import { emptyBody, endpoint, Fields, type HttpRequest, type HttpService } from '@heddle/wire';
import type { Found } from '../../../engines/engine.ts';
import { grpcGoInteropServer } from '../../../engines/grpc-go.ts';
import { runtime, started } from './subject.ts';

const patienceMs = 15_000;

/** Waits for it, and says for what when it does not come. */
async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await condition())) {
    assert.ok(performance.now() < endMs, `in time: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Our client asks a server of grpc-go far too often: it is told so, connects again, and asks half as often. */
export async function askTooOften(_found: Found): Promise<void> {
  const server = await grpcGoInteropServer.start({});
  const limits = { keepaliveMs: 40, keepaliveIdleMs: 40 };
  const way = endpoint({ runtime, address: server.address, protocol: 'http2', limits });
  const states: string[] = [];
  way.onState((state) => states.push(state));
  const request: HttpRequest = {
    method: 'POST',
    scheme: 'http',
    authority: 'localhost',
    path: '/grpc.testing.TestService/EmptyCall',
    fields: Fields.of({ 'content-type': 'application/grpc', te: 'trailers' }),
    body: emptyBody,
  };
  try {
    const once = async (): Promise<boolean> => (await settle(way.request, request, Call.root(runtime))).ok;
    await until(once, 'a first call');
    await until(() => states.includes('idle'), 'the server has closed the connection');
    await until(once, 'a call on the next connection');
  } finally {
    way.close();
    await server.stop();
  }
}

/** grpc-js asks a strict server of ours too often: its connection is closed, and its next call goes well. */
export async function beAskedTooOften(): Promise<void> {
  // It says on its standard error output what is to happen here.
  setLogVerbosity(logVerbosity.NONE);
  const grpc: HttpService = async () => ({
    status: 200,
    fields: Fields.of({ 'content-type': 'application/grpc', 'grpc-status': '12' }),
    body: emptyBody,
  });
  const limits = { http2: { minPingMs: 5000, minIdlePingMs: 5000 } };
  const server = await started(grpc, { limits });
  const client = new Client(`127.0.0.1:${server.address.port}`, credentials.createInsecure(), {
    'grpc.keepalive_time_ms': 50,
    'grpc.keepalive_permit_without_calls': 1,
  });
  const pass = (bytes: Buffer): Buffer => bytes;
  const codeOfCall = (): Promise<number | undefined> =>
    new Promise((resolve) => {
      client.makeUnaryRequest('/a.B/C', pass, pass, Buffer.alloc(0), (error) => resolve(error?.code));
    });
  try {
    assert.equal(await codeOfCall(), 12);
    assert.equal(server.connections, 1);
    await until(() => server.connections === 0, 'the connection is closed');
    assert.equal(await codeOfCall(), 12);
  } finally {
    client.close();
    setLogVerbosity(logVerbosity.ERROR);
    await server.stop();
  }
}
