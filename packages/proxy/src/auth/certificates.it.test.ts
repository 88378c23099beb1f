import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { describe, test } from 'node:test';
import { nodeRuntime } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import { MetricRegistry } from '@heddle/telemetry';
import { serve } from '@heddle/wire';
import { jsonAnswer } from '../answer/json-answer.ts';
import { Gateway } from '../gateway.ts';
import { readGatewayConfig } from '../model/gateway-config.ts';

const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const local = { host: '127.0.0.1', port: 0 };
const ours = new TestAuthority('ours', runtime.clock.wallMs());
const theirs = new TestAuthority('theirs', runtime.clock.wallMs());
const order = ours.issue({ uris: ['spiffe://shop.example/order'] });

/** Asks as the holder of a certificate and gives the status. */
function ask(port: number, path: string, identity?: typeof order): Promise<number> {
  return new Promise((resolve, reject) => {
    const shown = identity === undefined ? {} : { cert: identity.certificates, key: identity.privateKey };
    const options = {
      host: local.host,
      port,
      path,
      ca: ours.certificate,
      servername: 'gateway',
      agent: false,
      ...shown,
    };
    request(options, (answer: IncomingMessage) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    })
      .on('error', reject)
      .end();
  });
}

describe('a client certificate as a proof', () => {
  test('is who comes, and rules may ask for it', { timeout: 60_000 }, async () => {
    const upstream = await serve(async () => jsonAnswer(200, {}), { runtime, address: local });
    const to = `127.0.0.1:${upstream.address.port}`;
    const demand = { upstream: to, auth: { any: ['clientCertificate'] } };
    const clientCertificates = {
      trustDomains: ['shop.example'],
      subjects: [{ name: 'dns:ops.example', roles: ['ops'] }],
    };
    const routes = [
      { path: '/', ...demand },
      { path: '/order', ...demand, access: [{ effect: 'allow', subjects: ['spiffe://shop.example/order'] }] },
      { path: '/ops', ...demand, access: [{ effect: 'allow', roles: ['ops'] }] },
    ];
    const config = readGatewayConfig(JSON.stringify({ auth: { clientCertificates }, routes }), 'test');
    const gateway = new Gateway({ config, runtime, metrics: new MetricRegistry() });
    const current = { identities: [ours.issue({ dnsNames: ['gateway'] })], trust: ours.certificate };
    const tls = { source: { current }, clients: 'request' as const };
    const front = await serve(gateway.service, { runtime, address: local, tls });
    const { port } = front.address;
    try {
      const statuses: Record<string, number> = {
        'the order service': await ask(port, '/order', order),
        'the payment service': await ask(
          port,
          '/order',
          ours.issue({ uris: ['spiffe://shop.example/payment'] }),
        ),
        'a person of operations': await ask(port, '/ops', ours.issue({ dnsNames: ['ops.example'] })),
        'another trust domain': await ask(port, '/', ours.issue({ uris: ['spiffe://bank.example/order'] })),
        'another authority': await ask(port, '/', theirs.issue({ uris: ['spiffe://shop.example/order'] })),
        nobody: await ask(port, '/'),
      };
      assert.deepEqual(statuses, {
        'the order service': 200,
        'the payment service': 403,
        'a person of operations': 200,
        'another trust domain': 401,
        'another authority': 401,
        nobody: 401,
      });
    } finally {
      await front.stop();
      await gateway.drain();
      await upstream.stop();
    }
  });
});
