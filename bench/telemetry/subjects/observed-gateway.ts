// A request through the gateway to an upstream, all in this process, over the loopback. The gateway counts always; what
// is added are traces and a line in the access log.
import { openSync, writeSync } from 'node:fs';
import { Call, settle } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { Gateway, readGatewayConfig } from '@heddle/proxy';
import { accessLog, MetricRegistry, OtlpExporter } from '@heddle/telemetry';
import { emptyBody, endpoint, Fields, type HttpRequest, serve, wholeBody } from '@heddle/wire';
import { takeTurns } from './turns.ts';

const observedHere = process.argv[2] === 'on';
const bare = nodeRuntime({ name: 'bench', logLevel: 'error' });
const nowhere = openSync('/dev/null', 'w');
let lines = '';
const log: typeof bare.log = (level, message, fields) => {
  lines += `${JSON.stringify({ time: bare.clock.wallMs(), level, message, ...fields })}\n`;
  if (lines.length < 16_384) return;
  writeSync(nowhere, lines);
  lines = '';
};
const local = { host: '127.0.0.1', port: 0 };
const content = new TextEncoder().encode('{"state":"confirmed"}');
const upstream = await serve(
  async ({ body }) => {
    body.cancel();
    return {
      status: 200,
      fields: Fields.of({ 'content-type': 'application/json' }),
      body: wholeBody(content),
    };
  },
  { runtime: bare, address: local },
);
const exporter = new OtlpExporter({
  runtime: bare,
  address: upstream.address,
  resource: { 'service.name': 'gateway' },
  sampleRatio: 0.1,
});
const runtime = { ...bare, log, ...(observedHere && { spans: exporter }) };
const routes = `routes: [{ path: /orders, upstream: "static:///127.0.0.1:${upstream.address.port}" }]`;
const config = readGatewayConfig(routes, 'bench');
const gateway = new Gateway({ config, runtime, metrics: new MetricRegistry() });
const front = await serve(observedHere ? accessLog(gateway.service) : gateway.service, {
  runtime,
  address: local,
});
const way = endpoint({ runtime: bare, address: front.address, protocol: 'http1' });
const request: HttpRequest = {
  method: 'GET',
  scheme: 'http',
  authority: `127.0.0.1:${front.address.port}`,
  path: '/orders/7',
  fields: new Fields(),
  body: emptyBody,
};
takeTurns(async () => {
  const result = await settle(way.request, request, Call.root(bare));
  if (!result.ok || result.value.status !== 200) throw new Error('the gateway did not answer');
  await result.value.body.bytes(1000);
});
