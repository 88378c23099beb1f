// A stock Envoy started as `heddle inject --proxy envoy` says, with what a kubelet would fill in.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { defaultImages, defaultResources, injectTexts } from '@heddle/mesh/inject';
import { emptyModel } from '@heddle/mesh/model';
import { AggregatedDiscoveryService, XdsServer } from '@heddle/mesh/xds';
import { metadata, rpcServer } from '@heddle/rpc';
import { isMissing, obtain } from '../../../../scripts/engines/engine.ts';
import { envoy } from '../../../../scripts/engines/envoy.ts';
import { freePlace } from '../../../../scripts/engines/running.ts';
import { parse } from 'yaml';

const patienceMs = 60_000;
const { timers } = nodeRuntime({ name: 'test', logLevel: 'error' });
const closing: (() => Promise<unknown> | void)[] = [];
after(async () => {
  for (const close of closing.toReversed()) await close();
});

interface Container {
  readonly args: readonly string[];
}

/** The arguments of the sidecar of a pod that is probed at `port`. */
function injectedArguments(port: number, controlPlane: { host: string; port: number }): readonly string[] {
  const headers = '[{ name: X-Tried, value: "100%" }]';
  const probe = `{ path: /well, port: ${port}, httpHeaders: ${headers} }`;
  const text = `apiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: shop }\nspec: { containers: [{ name: app, image: a, livenessProbe: { httpGet: ${probe} } }] }\n`;
  const settings = {
    proxy: 'envoy',
    image: defaultImages.envoy,
    controlPlane,
    tokenSecret: { name: 'mesh', key: 'token' },
    dnsServer: undefined,
    byDefault: true,
    native: true,
    resources: defaultResources,
  } as const;
  const { texts } = injectTexts([{ file: 'web.yaml', text }], { settings });
  const { spec } = parse(texts[0]?.text ?? '') as { spec: { initContainers: readonly Container[] } };
  return spec.initContainers[0]?.args ?? [];
}

async function start(command: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(command, args, {
    stdio: 'ignore',
    env: { ...process.env, HEDDLE_MESH_TOKEN: 'the-token-of-this-pod' },
  });
  closing.push(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  });
  return child;
}

async function becomes(url: string, status: number): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const found = await fetch(url).then((answer) => answer.status, String);
    if (found === status) return;
    if (performance.now() > giveUpAt) assert.fail(`${url}: expected ${status}, found ${found}`);
    await sleep(timers, 50);
  }
}

describe('a stock Envoy beside an application', { timeout: 600_000 }, () => {
  test('follows the control plane with its token, is ready, and answers for the application', async (t) => {
    const found = await obtain(envoy);
    if (isMissing(found)) return t.skip(found.missing);
    const runtime = nodeRuntime({ name: 'control-plane', logLevel: 'error' });
    const shown = new Set<string | undefined>();
    const xds = new XdsServer({
      runtime,
      trustDomain: 'cluster.local',
      isTrusted: (call) => {
        shown.add(call.get(metadata)?.request.get('authorization') ?? undefined);
        return true;
      },
    });
    xds.update(emptyModel('cluster.local'));
    const plane = rpcServer({
      runtime,
      routes: (router) => router.service(AggregatedDiscoveryService, xds.handlers),
    });
    await plane.start();
    closing.push(async () => {
      xds.close();
      await plane.stop();
    });
    let heard: unknown;
    let status = 200;
    const application = createServer((request, response) => {
      heard = [request.url, request.headers['x-tried']];
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
    closing.push(() => {
      application.closeAllConnections();
      application.close();
    });
    const [health, admin] = [await freePlace(), await freePlace()];
    const filled = injectedArguments((application.address() as AddressInfo).port, plane.address).map((each) =>
      each
        .replaceAll('15021', String(health.port))
        .replaceAll('15000', String(admin.port))
        .replaceAll('$(POD_IP)', '10.0.0.7')
        .replaceAll('$(POD_NAME)', 'web-1')
        .replaceAll('$(POD_NAMESPACE)', 'shop')
        .replaceAll('$(POD_SERVICE_ACCOUNT)', 'web'),
    );
    await start(found.path, filled);
    const url = `http://127.0.0.1:${health.port}`;
    await becomes(`${url}/healthz/ready`, 200);
    await becomes(`${url}/stats/prometheus`, 200);
    await becomes(`${url}/app-health/app/livez`, 200);
    assert.deepEqual(heard, ['/well', '100%']);
    status = 500;
    await becomes(`${url}/app-health/app/livez`, 500);
    assert.deepEqual([...shown], ['Bearer the-token-of-this-pod']);
    assert.deepEqual(
      xds.proxies.map(({ node }) => node),
      ['sidecar~10.0.0.7~web-1.shop~shop.svc.cluster.local'],
    );
  });
});
