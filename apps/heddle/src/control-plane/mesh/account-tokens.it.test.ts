// A stock Envoy that shows a service account's token: who the source of the rules says it is decides which secrets it gets.
// The same at a real API server is in kubernetes.it.test.ts; here what reviews tokens is the test's own.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { embeddedRegistry } from '@heddle/discovery/embedded';
import { HeddleError, type Part } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { httpServer } from '@heddle/rpc';
import { becomes } from '../../../../../scripts/contracts/mesh/scenarios/waiting.ts';
import { isMissing, obtain, type Running } from '../../../../../scripts/engines/engine.ts';
import { envoy, startXdsEnvoy } from '../../../../../scripts/engines/envoy.ts';
import { freePort } from '../../../../../scripts/engines/running.ts';
import { meshPlane } from './mesh-plane.ts';
import type { RuleSource } from './rule-source.ts';

const found = await obtain(envoy);
const missing = isMissing(found) ? found.missing : undefined;
const uri = 'spiffe://cluster.local/ns/shop/sa/cart';
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-accounts-'));
const runtime = nodeRuntime({ name: 'test', logLevel: 'error', dataFolder: folder });
const port = await freePort();
const text = `
apiVersion: v1
kind: Service
metadata: { name: cart, namespace: shop }
spec: { selector: { app: cart }, ports: [{ name: http, port: ${port} }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: cart, namespace: shop }
spec: { address: 127.0.0.9, labels: { app: cart }, serviceAccount: cart }
`;

/** Whose tokens the source knows. It cannot be asked about one of them. */
const accounts = new Map([
  ['eyJ.of-cart', { namespace: 'shop', serviceAccount: 'cart' }],
  ['eyJ.of-report', { namespace: 'shop', serviceAccount: 'report' }],
  ['eyJ.of-vault-cart', { namespace: 'vault', serviceAccount: 'cart' }],
]);
const source: RuleSource = {
  name: 'test',
  revision: undefined,
  drift: [],
  isPerObject: false,
  read: async () => [{ file: 'mesh.yaml', text }],
  watch: () => () => undefined,
  accountOf: async (token) => {
    if (token === 'eyJ.of-nobody-knows')
      throw new HeddleError({ code: 'unavailable', reason: 'AWAY', message: 'away' });
    return accounts.get(token);
  },
  close: async () => undefined,
};

let parts: readonly Part[] = [];
let place = { host: '', port: 0 };

before(async () => {
  if (missing !== undefined) return;
  const registry = await embeddedRegistry(runtime);
  const token = 'a-token-for-this-test-alone';
  const mesh = await meshPlane({
    runtime,
    token,
    scope: {},
    registry,
    source,
    operatorToken: undefined,
    keys: undefined,
  });
  const server = httpServer(
    (request, call) => {
      const service = mesh.serviceFor(request);
      return service === undefined ? Promise.reject(new Error(request.path)) : service(request, call);
    },
    { runtime, address: { host: '127.0.0.1', port: 0 } },
  );
  const registryPart: Part = { name: 'registry', start: async () => undefined, stop: () => registry.close() };
  parts = [registryPart, ...mesh.parts, server];
  for (const part of parts) await part.start();
  place = server.address;
});

after(async () => {
  for (const part of parts.toReversed()) await part.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('an Envoy with the token of a service account', { skip: missing, timeout: 300_000 }, () => {
  test('gets the certificate of its workload if that is whose token it is, and else everything but that', async () => {
    const started = async (token: string): Promise<Running> =>
      startXdsEnvoy({ controlPlane: place, node: { id: 'cart', cluster: 'shop' }, token });
    const page = async ({ address }: Running, name: string): Promise<string> =>
      (await fetch(`http://${address.host}:${address.port}/${name}`)).text();
    const own = await started('eyJ.of-cart');
    const others: Running[] = [];
    for (const token of ['eyJ.of-report', 'eyJ.of-vault-cart', 'eyJ.of-a-stranger', 'eyJ.of-nobody-knows'])
      others.push(await started(token));
    try {
      await becomes(
        () => page(own, 'certs'),
        (certs) => certs.includes(uri),
      );
      for (const other of others) {
        await becomes(
          () => page(other, 'clusters'),
          (clusters) => clusters.includes('cart.shop'),
        );
        assert.ok(!(await page(other, 'certs')).includes('spiffe://'));
      }
    } finally {
      for (const each of [own, ...others]) await each.stop();
    }
  });
});
