// A stock Envoy tells a control plane of its requests by its access log service, and the control plane shows them.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { becomes } from '../../../../scripts/contracts/mesh/scenarios/waiting.ts';
import { isMissing, obtain } from '../../../../scripts/engines/engine.ts';
import { envoy, envoyLogging } from '../../../../scripts/engines/envoy.ts';
import { StartedCli } from '../node/started-cli.ts';

const token = 'a-token-for-this-test-alone';
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-envoy-logs-'));
const upstream = createServer((request, response) => {
  response.statusCode = request.url === '/ill' ? 503 : 200;
  response.end();
});
const traceId = 'ab'.repeat(16);
const sampled = `00-${traceId}-${'cd'.repeat(8)}-01`;
const unsampled = `00-${'12'.repeat(16)}-${'cd'.repeat(8)}-00`;

interface Line {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly traceId: string;
}

interface Trace {
  readonly spans: readonly {
    readonly operationName: string;
    readonly spanID: string;
    readonly references: readonly { readonly spanID: string }[];
  }[];
}

let plane: StartedCli;
let place = { host: '127.0.0.1', port: 0 };

async function told(at: string): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${place.port}${at}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return answer.status === 200 ? answer.json() : { status: answer.status, text: await answer.text() };
}

async function lines(): Promise<readonly Line[]> {
  const { lines: all } = (await told('/api/logs?service=edge')) as { readonly lines: readonly Line[] };
  return all;
}

before(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  plane = new StartedCli(['control-plane', '--port', '0', '--data', folder], {
    HEDDLE_REGISTRY_TOKEN: token,
  });
  const [, port] = await plane.printed(/http:\/\/127\.0\.0\.1:(\d+)/);
  place = { host: '127.0.0.1', port: Number(port) };
});

after(async () => {
  plane.child.kill('SIGTERM');
  await plane.exited;
  upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("Envoy's access log service", () => {
  test('each request is a line, a span of its trace, and an edge to the upstream', {
    timeout: 120_000,
  }, async (t) => {
    const found = await obtain(envoy);
    if (isMissing(found)) return t.skip(found.missing);
    const { port } = upstream.address() as AddressInfo;
    const resources = envoyLogging({ host: '127.0.0.1', port }, place, token);
    const running = await envoy.start({ resources, node: { id: 'edge-1', cluster: 'edge' } });
    t.after(() => running.stop());
    for (const [at, traceparent] of [
      ['/orders?secret=1', sampled],
      ['/ill', unsampled],
    ] as const) {
      const url = `http://127.0.0.1:${running.address.port}${at}`;
      await (await fetch(url, { headers: { traceparent } })).arrayBuffer();
    }
    await becomes(lines, (all) => all.length === 2);
    const said = (await lines()).map(
      ({ attributes: { path: at, status } }) => `${String(at)} ${String(status)}`,
    );
    assert.deepEqual(said.toSorted(), ['/ill 503', '/orders 200']);
    const { data } = (await told(`/api/traces/${traceId}`)) as { readonly data: readonly Trace[] };
    const spans = data[0]?.spans ?? [];
    assert.equal(spans.length, 2, 'what Envoy served, and its call to the upstream');
    const parents = spans.map(({ references }) => references[0]?.spanID);
    assert.ok(parents.includes('cd'.repeat(8)), 'the caller is the parent of what was served');
    assert.ok(spans.some(({ spanID }) => parents.includes(spanID)));
    const topology = await becomes(
      async () => JSON.stringify(await told('/api/topology')),
      (text) => text.includes('"out"'),
    );
    assert.match(topology, /"edge"/);
  });
});
