import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { emptyBody, Fields, frame, type HttpRequest, wholeBody } from '@heddle/wire';
import { ProtobufWriter } from '../otlp/protobuf-writer.ts';
import type { LogData, SpanData } from '../otlp/signal.ts';
import { EdgeTally } from '../store/edge-tally.ts';
import { envoyAccessLogs, isEnvoyAccessLogs } from './access-log-service.ts';

const runtime = bareRuntime(new VirtualTime());
const ids = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) };
const startS = 1_700_000_000;

interface Told {
  readonly spans: SpanData[];
  readonly lines: LogData[];
}

/** Sends the messages as Envoy's stream. */
async function sent(
  messages: readonly Uint8Array[],
  fields: Record<string, string> = {},
): Promise<Told & { status: string | undefined }> {
  const told: Told = { spans: [], lines: [] };
  const sink = {
    spans: async ({ items }: { items: readonly SpanData[] }) => void told.spans.push(...items),
    logs: async ({ items }: { items: readonly LogData[] }) => void told.lines.push(...items),
    metrics: async () => {},
  };
  const request: HttpRequest = {
    method: 'POST',
    scheme: 'http',
    authority: 'plane',
    path: '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs',
    fields: Fields.of({ 'content-type': 'application/grpc', authorization: 'Bearer secret', ...fields }),
    body: messages.length === 0 ? emptyBody : wholeBody(Buffer.concat(messages.map((each) => frame(each)))),
  };
  assert.equal(isEnvoyAccessLogs(request), true);
  const answer = await envoyAccessLogs({ runtime, sink, token: 'secret' })(request, Call.root(runtime));
  const status = answer.fields.get('grpc-status') ?? answer.body.trailers?.get('grpc-status');
  return { ...told, status };
}

interface Entry {
  readonly status: number;
  readonly traceparent?: string;
}

/** As Envoy writes it: `StreamAccessLogsMessage`, with the node in the first. */
function message(entries: readonly Entry[], cluster?: string): Uint8Array {
  const writer = new ProtobufWriter();
  const within = (field: number, write: () => void): void => {
    const start = writer.open(field);
    write();
    writer.close(start);
  };
  const time = (field: number, seconds: number, nanos: number): void =>
    within(field, () => {
      writer.uint(1, seconds);
      writer.uint(2, nanos);
    });
  if (cluster !== undefined)
    within(1, () => within(1, () => (writer.text(1, 'pod-1'), writer.text(2, cluster))));
  within(2, () => {
    for (const { status, traceparent } of entries)
      within(1, () => {
        within(1, () => {
          time(5, startS, 500_000_000);
          time(7, 0, 2_000_000);
          time(10, 0, 7_000_000);
          writer.text(15, 'outbound|8080||payment');
          writer.text(19, 'pay');
          time(23, 0, 9_000_000);
        });
        within(3, () => {
          writer.uint(1, 3);
          writer.text(3, 'shop.example');
          writer.text(5, '/pay?card=1');
          writer.text(9, 'request-1');
          if (traceparent !== undefined)
            within(13, () => (writer.text(1, 'traceparent'), writer.text(2, traceparent)));
        });
        within(4, () => within(1, () => writer.uint(1, status)));
      });
  });
  return writer.finish().slice();
}

test('a request that Envoy has served is a span of its trace, one of the call to its upstream, and a line', async () => {
  const traceparent = `00-${ids.traceId}-${ids.spanId}-01`;
  const { spans, lines, status } = await sent([message([{ status: 200, traceparent }], 'edge')]);
  assert.equal(status, '0');
  const [served, called] = spans;
  assert.deepEqual(
    [served?.traceId, served?.parentSpanId, served?.kind, served?.name, served?.resource.service],
    [ids.traceId, ids.spanId, 2, 'POST pay', 'edge'],
  );
  assert.deepEqual(
    [served?.startUs, served?.durationUs, served?.failed],
    [startS * 1e6 + 500_000, 9000, false],
  );
  assert.deepEqual(
    [served?.attributes['url.path'], served?.attributes['heddle.correlation_id']],
    ['/pay', 'request-1'],
  );
  assert.deepEqual(
    [
      called?.kind,
      called?.parentSpanId,
      called?.startUs,
      called?.durationUs,
      called?.attributes['peer.service'],
    ],
    [3, served?.spanId, startS * 1e6 + 502_000, 5000, 'payment'],
  );
  assert.deepEqual(
    [lines[0]?.body, lines[0]?.traceId, lines[0]?.attributes['status']],
    ['request', ids.traceId, 200],
  );
});

test('the call to the upstream stands in the topology, as does that of whoever called Envoy', async () => {
  const traceparent = `00-${ids.traceId}-${ids.spanId}-01`;
  const { spans } = await sent([message([{ status: 503, traceparent }], 'edge')]);
  const tally = new EdgeTally();
  const caller = {
    ...(spans[1] as SpanData),
    spanId: ids.spanId,
    attributes: {},
    resource: { service: 'shop', attributes: {} },
  };
  for (const span of [caller, ...spans]) tally.add(span);
  const edges = tally.take().map(({ client, server, calls, failures }) => [client, server, calls, failures]);
  assert.deepEqual(edges, [
    ['shop', 'edge', 1, 1],
    ['edge', 'payment', 1, 1],
  ]);
});

test('who sends is said once; without a trace of its own a request gets one; of an unsampled one there is only the line', async () => {
  const unsampled = `00-${ids.traceId}-${ids.spanId}-00`;
  const { spans, lines } = await sent([
    message([{ status: 200 }], 'edge'),
    message([{ status: 0, traceparent: unsampled }]),
  ]);
  assert.deepEqual(
    [spans.length, spans[0]?.parentSpanId, spans[0]?.traceId === spans[1]?.traceId],
    [2, '', true],
  );
  const shown = lines.map(({ resource, severityText, traceId }) => [
    resource.service,
    severityText.toLowerCase(),
    traceId,
  ]);
  assert.deepEqual(shown, [
    ['edge', 'info', spans[0]?.traceId],
    ['edge', 'warn', ids.traceId],
  ]);
});

test('without the token nothing is taken; what is no message ends the stream', async () => {
  const refused = await sent([message([{ status: 200 }], 'edge')], { authorization: 'Bearer other' });
  assert.deepEqual([refused.status, refused.spans.length], ['16', 0]);
  const torn = await sent([new Uint8Array([10, 255])]);
  assert.equal(torn.status, '3');
});
