// A stock Envoy beside `heddle control-plane --mesh`: it follows the registry, and `heddle ls proxies` tells what it has.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { remoteRegistry } from '@heddle/discovery/node';
import { nodeRuntime } from '@heddle/kernel/node';
import { isMissing, obtain, type Running } from '../../../../../scripts/engines/engine.ts';
import { envoy, startXdsEnvoy } from '../../../../../scripts/engines/envoy.ts';
import { freePort } from '../../../../../scripts/engines/running.ts';
import { StartedCli } from '../../node/started-cli.ts';
import { type Backend, startBackend } from '../../../../../scripts/contracts/mesh/scenarios/http-backend.ts';
import { answers, becomes } from '../../../../../scripts/contracts/mesh/scenarios/waiting.ts';

const token = 'a-token-for-this-test-alone';
const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const data = mkdtempSync(path.join(tmpdir(), 'heddle-mesh-data-'));
const rules = mkdtempSync(path.join(tmpdir(), 'heddle-mesh-rules-'));
const file = path.join(rules, 'mesh.yaml');
const found = await obtain(envoy);
const missing = isMissing(found) ? found.missing : undefined;

let port = 0;
let entryPort = 0;
let cli: StartedCli;
let place = '';
let proxy: Running | undefined;
let backends: readonly Backend[] = [];

const entry = (endpoint: number): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: stock, namespace: shop }
spec:
  hosts: [stock.shop.example]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ number: ${entryPort}, name: http, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.1, ports: { http: ${endpoint} } }]
`;

const registry = (): ReturnType<typeof remoteRegistry> => {
  const { hostname: host, port: at } = new URL(`http://${place}`);
  return remoteRegistry({ runtime, addresses: [{ host, port: Number(at) }], token });
};

before(async () => {
  if (missing !== undefined) return;
  [port, entryPort] = [await freePort(), await freePort()];
  backends = [await startBackend('one'), await startBackend('two')];
  writeFileSync(file, entry(backends[0]?.port ?? 0));
  cli = new StartedCli(['control-plane', '--port', '0', '--data', data, '--mesh', rules], {
    HEDDLE_REGISTRY_TOKEN: token,
  });
  [, place = ''] = await cli.printed(/http:\/\/(127\.0\.0\.1:\d+)/);
  const { hostname: host, port: at } = new URL(`http://${place}`);
  const node = { id: 'client.shop', cluster: 'shop' };
  proxy = await startXdsEnvoy({ controlPlane: { host, port: Number(at) }, node });
});

after(async () => {
  if (missing !== undefined) return;
  await proxy?.stop();
  cli.child.kill('SIGTERM');
  await cli.exited;
  for (const backend of backends) await backend.stop();
  for (const folder of [data, rules]) rmSync(folder, { recursive: true, force: true });
});

const ask = (at: number, host: string): Promise<string> =>
  new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port: at, headers: { host }, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(response.statusCode === 200 ? text : `${response.statusCode}`));
    });
    request.on('error', (error) => resolve(error.message));
  });

describe('a stock Envoy', { skip: missing }, () => {
  test('calls what the registry knows, and follows it as instances come and go', async () => {
    const desired = registry();
    const instance = (id: string, at: number): Parameters<typeof desired.register>[0] => ({
      service: 'order',
      id,
      address: '127.0.0.1',
      port: at,
      protocol: 'http',
      metadata: { 'service-port': String(port) },
    });
    try {
      await desired.register(instance('a', backends[0]?.port ?? 0));
      await answers(() => ask(port, 'order'), 'one');
      await desired.register(instance('b', backends[1]?.port ?? 0));
      await desired.deregister('order', 'a');
      // One answer of the second says nothing yet: while both are there, either may be asked.
      for (const host of ['order.default', 'order']) {
        const many = (): Promise<string[]> => Promise.all(Array.from({ length: 16 }, () => ask(port, host)));
        await becomes(many, (all) => all.every((answer) => answer === 'two'));
      }
    } finally {
      await desired.close();
    }
  });

  test('follows the endpoints of a ServiceEntry', async () => {
    await answers(() => ask(entryPort, 'stock.shop.example'), 'one');
    writeFileSync(file, entry(backends[1]?.port ?? 0));
    await answers(() => ask(entryPort, 'stock.shop.example'), 'two');
  });

  test('is listed with what it has acknowledged', async () => {
    const env = { HEDDLE_REGISTRY_TOKEN: token };
    const listed = async (): Promise<string> => {
      const ls = new StartedCli(['ls', 'proxies', '--plane', place], env);
      assert.equal(await ls.exited, 0, ls.output);
      return ls.output;
    };
    const output = await becomes(listed, (text) => /client\.shop +sotw +\d+ +\d+ +- +\d+ +\d+ +-/.test(text));
    assert.match(output, /^proxy +protocol +cluster +endpoints +secret +listener +route +refused/i);
  });

  test('gets the certificate of a workload by the token of that workload, and by no other', async () => {
    const desired = registry();
    await desired.register({
      service: 'cart',
      id: 'a',
      address: '127.0.0.9',
      port: await freePort(),
      protocol: 'http',
      metadata: { 'service-port': String(await freePort()) },
    });
    const tokenOf = async (account: string): Promise<string> => {
      const response = await fetch(`http://${place}/v1/mesh/tokens`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ spiffeId: `spiffe://cluster.local/ns/default/sa/${account}` }),
      });
      return ((await response.json()) as { readonly token: string }).token;
    };
    const { hostname: host, port: at } = new URL(`http://${place}`);
    const started = async (shown: string): Promise<Running> =>
      startXdsEnvoy({
        controlPlane: { host, port: Number(at) },
        node: { id: 'cart', cluster: 'default' },
        token: shown,
      });
    const own = await started(await tokenOf('cart'));
    const others = [await started(token), await started(await tokenOf('order'))];
    const certificatesOf = async (of: Running): Promise<string> =>
      (await fetch(`http://${of.address.host}:${of.address.port}/certs`)).text();
    const isServed = async (of: Running): Promise<boolean> =>
      (await (await fetch(`http://${of.address.host}:${of.address.port}/listeners`)).text()).includes(
        'outbound',
      );
    try {
      await becomes(
        () => certificatesOf(own),
        (text) => text.includes('spiffe://cluster.local/ns/default/sa/cart'),
      );
      for (const other of others) {
        await answers(() => isServed(other), true);
        assert.ok(!(await certificatesOf(other)).includes('spiffe://'));
      }
    } finally {
      for (const each of [own, ...others]) await each.stop();
      await desired.close();
    }
  });
});
