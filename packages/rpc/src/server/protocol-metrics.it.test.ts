import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Client, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { nodeRuntime } from '@heddle/kernel/node';
import { expose, MetricRegistry, parseExposition, serverMetrics } from '@heddle/telemetry';
import { EchoService } from '../gen/heddle/testing/v1/echo_pb.ts';
import { echoHandlers } from '../testing/echo-handlers.ts';
import { until } from '../testing/wait.ts';
import { type RpcServer, rpcServer } from './rpc-server.ts';

const runtime = nodeRuntime({ name: 'metrics', logLevel: 'error' });
const registry = new MetricRegistry();
let server: RpcServer;

before(async () => {
  server = rpcServer({
    runtime,
    routes: (router) => router.service(EchoService, echoHandlers('a')),
    observe: serverMetrics(registry, { service: 'echo' }),
  });
  await server.start();
});
after(() => server.stop());

function counted(): Record<string, number> {
  const calls = parseExposition(expose(registry)).filter(({ name }) => name === 'rpc_server_calls_total');
  return Object.fromEntries(
    calls.map(({ labels, value }) => [`${labels['method']} ${labels['code']}`, value]),
  );
}

/** Eight calls: each kind once well and once failing with `not_found` (5). */
async function callAll(echo: Client<typeof EchoService>): Promise<void> {
  const fails = (error: unknown): boolean => error instanceof ConnectError && error.code === 5;
  await echo.append({ text: 'x' });
  await assert.rejects(echo.append({ text: 'x', failWith: 5 }), fails);
  const read = async (failWith: number): Promise<void> => {
    for await (const message of echo.expand({ text: 'x', count: 2, failWith })) assert.ok(message.instance);
  };
  await read(0);
  await assert.rejects(read(5), fails);
}

const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl }),
  'gRPC-Web': (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
  'Connect with JSON': (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: false }),
  'Connect with protobuf': (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2' }),
};

for (const [name, transport] of Object.entries(transports)) {
  test(`metrics read the status where ${name} has it`, async () => {
    const earlier = counted();
    await callAll(createClient(EchoService, transport(`http://127.0.0.1:${server.address.port}`)));
    const more = (): Record<string, number> =>
      Object.fromEntries(
        Object.entries(counted())
          .map(([key, value]): [string, number] => [key, value - (earlier[key] ?? 0)])
          .filter(([, value]) => value > 0),
      );
    // A call is counted when its last byte has gone, which a client may not wait for.
    await until(() => Object.values(more()).reduce((sum, each) => sum + each, 0) === 4);
    assert.deepEqual(more(), {
      'Append ok': 1,
      'Append not_found': 1,
      'Expand ok': 1,
      'Expand not_found': 1,
    });
  });
}
