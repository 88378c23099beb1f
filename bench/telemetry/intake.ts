// How many spans a second come in by OTLP, read and decoded, from a client in another process; and the decoder alone.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { nodeRuntime } from '@heddle/kernel/node';
import { decodeTraces, otlpService } from '@heddle/telemetry';
import { serve } from '@heddle/wire';
import protobuf from 'protobufjs';
import { measure } from '../measure.ts';
import type { BenchOptions, BenchResult } from '../report.ts';
import { requestFrom, spansPerRequest } from './request.ts';

const goals = { 'intake-http': 150_000, 'intake-grpc': 100_000 } as const;

/** `intake-http`, `intake-grpc` and `decode`. */
export async function intakeResults(
  options: BenchOptions,
  wanted: (name: string) => boolean,
): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const name of ['intake-http', 'intake-grpc'] as const)
    if (wanted(name)) results.push(await intake(name, options.quick ? 1000 : 5000));
  if (wanted('decode')) results.push(await decode(options));
  return results;
}

async function intake(name: keyof typeof goals, durationMs: number): Promise<BenchResult> {
  process.stderr.write(`${name} …\n`);
  const runtime = nodeRuntime({ name: 'bench', logLevel: 'error' });
  let spans = 0;
  const nothing = async (): Promise<void> => {};
  const sink = {
    logs: nothing,
    metrics: nothing,
    spans: async ({ items }: { items: readonly unknown[] }) => void (spans += items.length),
  };
  const server = await serve(otlpService({ sink }), { runtime, address: { host: '127.0.0.1', port: 0 } });
  const client = fork(
    path.join(import.meta.dirname, 'subjects/sender.ts'),
    [name, String(server.address.port)],
    {
      execArgv: ['--conditions=@heddle/source'],
    },
  );
  try {
    await once(client, 'message');
    // The first are for the compiler.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const before = spans;
    const began = performance.now();
    const cpu = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, durationMs));
    const seconds = (performance.now() - began) / 1000;
    const used = process.cpuUsage(cpu);
    const value = (spans - before) / seconds;
    const busy = (used.user + used.system) / 1e6 / seconds;
    const goal = goals[name];
    return {
      name,
      subject: 'heddle',
      unit: 'spans/s',
      value,
      peer: 'goal',
      peerValue: goal,
      ratio: value / goal,
      detail: `on ${(busy * 100).toFixed(0)} % of a core`,
      goal: `at least ${goal} spans/s`,
      goalMet: value >= goal,
    };
  } finally {
    client.kill('SIGKILL');
    await server.stop();
  }
}

// The messages of opentelemetry-proto, as far as the request uses them.
const schema = `syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message Scope { string name = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
message Status { string message = 2; int32 code = 3; }
message Span { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
  int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; Status status = 15; }`;

async function decode({ quick }: BenchOptions): Promise<BenchResult> {
  process.stderr.write('decode …\n');
  const bytes = requestFrom(0);
  const type = protobuf.parse(schema, { keepCase: true }).root.lookupType('Request');
  const repeat = (work: () => void) => (count: number) => {
    for (let at = 0; at < count; at++) work();
  };
  const subjects = [
    { name: 'heddle', run: repeat(() => void decodeTraces(bytes)) },
    { name: 'protobufjs', run: repeat(() => void type.decode(bytes)) },
  ];
  const times = await measure(subjects, { rounds: quick ? 3 : 15, turnMs: quick ? 50 : 200, clock: 'cpu' });
  const perSecond = (name: string): number => (spansPerRequest * 1e9) / (times.get(name) as number);
  const [value, peerValue] = [perSecond('heddle'), perSecond('protobufjs')];
  return {
    name: 'decode',
    subject: 'heddle',
    unit: 'spans/CPU s',
    value,
    peer: 'protobufjs',
    peerValue,
    ratio: value / peerValue,
  };
}
