// A sidecar's health as a kubelet asks for it, before a real application.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { nodeRuntime } from '@heddle/kernel/node';
import { jsonAnswer } from '@heddle/proxy';
import { rpcServer } from '@heddle/rpc';
import { readAppProbes } from './app-health.ts';
import { healthServer } from './health-server.ts';

const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });

describe('the health of a sidecar', () => {
  let status = 200;
  let heard: Readonly<Record<string, unknown>> = {};
  let answers = true;
  const application: Server = createServer((request, response) => {
    heard = { url: request.url, host: request.headers.host, tried: request.headers['x-tried'] };
    if (answers) response.writeHead(status, { location: '/elsewhere' }).end();
  });
  const grpc = rpcServer({ runtime, routes: () => undefined });
  let ready = false;
  let url = '';
  let health: ReturnType<typeof healthServer>;

  before(async () => {
    await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
    await grpc.start();
    const { port } = application.address() as AddressInfo;
    const httpGet = {
      port,
      path: '/well',
      httpHeaders: [
        { name: 'Host', value: 'shop' },
        { name: 'X-Tried', value: '1' },
      ],
    };
    const probes = {
      '/app-health/app/livez': { httpGet, timeoutSeconds: 1 },
      '/app-health/app/readyz': { tcpSocket: { port }, timeoutSeconds: 1 },
      '/app-health/app/startupz': { grpc: { port: grpc.address.port }, timeoutSeconds: 1 },
      '/app-health/gone/livez': { tcpSocket: { port: 1 }, timeoutSeconds: 1 },
    };
    health = healthServer({
      runtime,
      address: { host: '127.0.0.1', port: 0 },
      isReady: () => ready,
      probes: readAppProbes(JSON.stringify(probes)),
      metrics: async () => jsonAnswer(200, { measured: true }),
    });
    await health.start();
    url = `http://127.0.0.1:${health.address.port}`;
  });
  after(async () => {
    await health.stop();
    await grpc.stop();
    application.closeAllConnections();
    application.close();
  });

  const statusOf = async (path: string): Promise<number> => (await fetch(`${url}${path}`)).status;

  test('is not ready before there are rules', async () => {
    assert.equal(await statusOf('/healthz/ready'), 503);
    ready = true;
    assert.equal(await statusOf('/healthz/ready'), 200);
    assert.equal(await statusOf('/stats/prometheus'), 200);
    assert.equal(await statusOf('/app-health/other/livez'), 404);
  });

  test('asks by HTTP with the headers that the probe names; a redirect is well, an error is not, silence is not', async () => {
    const path = '/app-health/app/livez';
    assert.equal(await statusOf(path), 200);
    assert.deepEqual(heard, { url: '/well', host: 'shop', tried: '1' });
    status = 302;
    assert.equal(await statusOf(path), 200);
    status = 500;
    assert.equal(await statusOf(path), 503);
    answers = false;
    assert.equal(await statusOf(path), 503);
  });

  test('asks by TCP and by gRPC', async () => {
    assert.equal(await statusOf('/app-health/app/readyz'), 200);
    assert.equal(await statusOf('/app-health/gone/livez'), 503);
    assert.equal(await statusOf('/app-health/app/startupz'), 503);
    grpc.health.set('', true);
    assert.equal(await statusOf('/app-health/app/startupz'), 200);
  });
});
