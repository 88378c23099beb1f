import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { nodeRuntime } from '@heddle/kernel/node';
import type { Rehearsal } from '@heddle/mesh/rehearse';
import { MetricStore, prometheusApi } from '@heddle/telemetry';
import { serve } from '@heddle/wire';
import { StartedCli } from '../node/started-cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-mesh-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const place = path.join(folder, name);
  writeFileSync(place, text);
  return place;
}

async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const cli = new StartedCli(args, { NO_COLOR: '1' });
  const code = await cli.exited;
  return { code, output: cli.output };
}

const shop = `apiVersion: v1
kind: Service
metadata: {name: order, namespace: shop}
spec: {selector: {app: order}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: order, namespace: shop}
spec: {template: {metadata: {labels: {app: order}}}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: order, namespace: shop}
spec: {host: order, subsets: [{name: v1, labels: {v: "1"}}, {name: v2, labels: {v: "2"}}]}
---
`;
const split = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: order, namespace: shop}
spec:
  hosts: [order]
  http:
    - route:
        - destination: {host: order, subset: v1}
          weight: 100
        - destination: {host: order, subset: v2}
          weight: 0
`;

test('a rehearsal says whose calls would go elsewhere', async () => {
  const before = file('before.yaml', shop);
  const changed = file('after.yaml', shop + split);
  const calls = file('calls.jsonl', '{"from":"shop/web","host":"order","path":"/cart","count":3}\n');
  const options = ['--before', before, '--after', changed, '--calls', calls];
  const { code, output } = await run('rehearse', ...options, '--json', '--expect-none');
  assert.equal(code, 1);
  const { differences } = JSON.parse(output) as Rehearsal;
  assert.deepEqual(
    differences.map(({ from, after: will, calls: count }) => ({ from, will, count })),
    [{ from: 'shop/web', will: 'order.shop.svc.cluster.local:80 (v1)', count: 3 }],
  );
});

test('exports are YAML on the output, what they cannot say is a note', async () => {
  const place = file('mesh.yaml', shop + split);
  const policies = await run('export', 'network-policies', place);
  assert.equal(policies.code, 0);
  assert.match(policies.output, /kind: NetworkPolicy/);
  const linkerd = await run('export', 'linkerd', place);
  assert.match(linkerd.output, /kind: HTTPRoute[\s\S]*name: order-v1[\s\S]*app: order/);
});

/** A metrics store that counts as if the new version failed one call in `every`; asked over its real API. */
async function metricsOf(every: number): Promise<{ url: string; stop: () => Promise<void> }> {
  const runtime = nodeRuntime({ name: 'metrics', logLevel: 'error' });
  const store = new MetricStore();
  const nowMs = runtime.clock.wallMs();
  for (let at = 0; at <= 300; at++) {
    // Samples of the last two minutes and of the next fifty, so that the test need not write while it runs.
    const count = (at + 1) * 1000;
    const samples = [
      { labels: { code: '200' }, value: count - count / every },
      { labels: { code: '500' }, value: count / every },
    ].map(({ labels, value }) => ({
      name: 'istio_requests_total',
      labels: { destination_service_name: 'order', destination_version: 'v2', response_code: labels.code },
      value,
    }));
    store.scrape({ job: 'order' }, samples, nowMs - 120_000 + at * 10_000);
  }
  const service = prometheusApi(
    { sourceFor: async () => store, sourceBetween: async () => store },
    runtime.clock,
  );
  const server = await serve(service, { runtime, address: { host: '127.0.0.1', port: 0 } });
  return { url: `http://127.0.0.1:${server.address.port}`, stop: () => server.stop() };
}

test('a rollout that holds ends with all of the traffic', async () => {
  const place = file('good.yaml', shop + split);
  const { url, stop } = await metricsOf(1000);
  try {
    const args = ['rollout', place, 'order', '--from', 'v1', '--to', 'v2', '--prometheus', url];
    const { code, output } = await run(...args, '--steps', '10,100', '--every', '0.2', '--look', '0.1');
    assert.equal(code, 0, output);
    assert.match(output, /v2 10 %[\s\S]*v2 100 %[\s\S]*done/);
    assert.match(readFileSync(place, 'utf8'), /subset: v2 ?\}\n\s+weight: 100/);
  } finally {
    await stop();
  }
});

test('a rollout whose calls fail is taken back by itself', async () => {
  const place = file('bad.yaml', shop + split);
  const { url, stop } = await metricsOf(20);
  try {
    const args = ['rollout', place, 'order', '--from', 'v1', '--to', 'v2', '--prometheus', url];
    const { code, output } = await run(...args, '--every', '0.2', '--look', '0.1');
    assert.equal(code, 1);
    assert.match(output, /v2 5 %[\s\S]*taken back: 5 % of the calls failed/);
    assert.match(readFileSync(place, 'utf8'), /subset: v2 ?\}\n\s+weight: 0/);
  } finally {
    await stop();
  }
});

test('a split that is not there is told before anything is changed', async () => {
  const place = file('none.yaml', shop);
  const args = [
    'rollout',
    place,
    'order',
    '--from',
    'v1',
    '--to',
    'v2',
    '--prometheus',
    'http://127.0.0.1:9',
  ];
  const { code, output } = await run(...args);
  assert.equal(code, 1);
  assert.match(output, /no rule of a VirtualService "order"/);
  assert.equal(readFileSync(place, 'utf8'), shop);
});
