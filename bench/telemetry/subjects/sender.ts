// Sends the same request of OTLP again and again, eight at a time, until it is ended.
import { Call, settle } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { endpoint, Fields, frame, type HttpRequest, wholeBody } from '@heddle/wire';
import { requestFrom } from '../request.ts';

const [how, port] = process.argv.slice(2);
const isGrpc = how === 'intake-grpc';
const runtime = nodeRuntime({ name: 'sender', logLevel: 'error' });
const address = { host: '127.0.0.1', port: Number(port) };
const way = endpoint({ runtime, address, protocol: isGrpc ? 'http2' : 'http1' });
const bytes = requestFrom(0);
const request: HttpRequest = {
  method: 'POST',
  scheme: 'http',
  authority: `127.0.0.1:${port}`,
  path: isGrpc ? '/opentelemetry.proto.collector.trace.v1.TraceService/Export' : '/v1/traces',
  fields: isGrpc
    ? Fields.of({ 'content-type': 'application/grpc', te: 'trailers' })
    : Fields.of({ 'content-type': 'application/x-protobuf' }),
  body: wholeBody(isGrpc ? frame(bytes) : bytes),
};

async function send(): Promise<void> {
  for (;;) {
    const result = await settle(way.request, request, Call.root(runtime));
    if (!result.ok) throw result.error;
    await result.value.body.bytes(65_536);
    if (result.value.status !== 200) throw new Error(`the intake answered ${result.value.status}`);
  }
}

process.send?.('ready');
await Promise.all(Array.from({ length: 8 }, send));
