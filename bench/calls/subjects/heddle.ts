// The whole client stack: discovery, least request, deadline, retry, breaker, metrics, trace; with `explain` as first
// argument decision records as well.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { create, type DescMethodUnary } from '@bufbuild/protobuf';
import { embeddedRegistry } from '@heddle/discovery/embedded';
import { nodeRuntime } from '@heddle/kernel/node';
import { createTransport, type RpcRequest, type RpcResponse } from '@heddle/rpc';
import { MetricRegistry, rpcMetrics } from '@heddle/telemetry';
import { DecisionLog } from '@heddle/upstream';
import { unaryMessage } from '../../wire/payload.ts';
import { announce, callsAtOnce } from '../../wire/subjects/announce.ts';
import { payload, unary } from '../../wire/subjects/connect-echo.ts';

const [mode, ...targets] = process.argv.slice(2);
const dataFolder = mkdtempSync(path.join(tmpdir(), 'heddle-bench-'));
const runtime = nodeRuntime({ name: 'bench', dataFolder, logLevel: 'error' });
const registry = await embeddedRegistry(runtime, { ttlMs: 3_600_000 });
for (const [at, target] of targets.entries()) {
  const [address = '', port = ''] = target.split(':');
  await registry.register({ id: `echo-${at}`, service: 'echo', address, port: Number(port) });
}
const transport = createTransport({
  runtime,
  registry,
  target: 'discovery:///echo',
  policy: 'least_request',
  timeoutMs: 5000,
  breaker: {},
  observe: rpcMetrics<RpcRequest, RpcResponse>(new MetricRegistry(), {
    side: 'client',
    describe: ({ method }) => ({ service: method.parent.typeName, method: method.name }),
  }),
  ...(mode === 'explain' && { decisions: new DecisionLog({ process: 'bench' }) }),
});
const method = unary as DescMethodUnary;
const message = create(payload, { body: unaryMessage.subarray(2) });

async function call(): Promise<void> {
  const answer = await transport.unary(method, undefined, undefined, undefined, message);
  const { body } = answer.message as unknown as { body: Uint8Array };
  if (body.byteLength !== unaryMessage.length - 2) throw new Error('not an echo');
}

announce(0, { ...callsAtOnce(call), heap: () => `heap ${process.memoryUsage().heapUsed}` });
