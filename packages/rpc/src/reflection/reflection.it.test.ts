import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { createTransport } from '../client/create-transport.ts';
import { createClient } from '../connect/create-client.ts';
import { EchoService } from '../gen/heddle/testing/v1/echo_pb.ts';
import {
  ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from '../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as Alpha } from '../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { OpenRcaService } from '../gen/xds/service/orca/v3/orca_pb.ts';
import { LoadReporter } from '../load/load-reporter.ts';
import { type RpcServer, rpcServer } from '../server/rpc-server.ts';
import { echoHandlers } from '../testing/echo-handlers.ts';

const runtime = nodeRuntime({ name: 'reflection', logLevel: 'error' });
const reading = {
  cpuSeconds: 1,
  residentBytes: 1,
  memoryLimitBytes: 2,
  heapUsedBytes: 1,
  heapTotalBytes: 1,
  eventLoopUtilization: 0.5,
  eventLoopDelayMeanSeconds: 0,
  eventLoopDelayP99Seconds: 0.25,
  startTimeSeconds: 0,
};
let server: RpcServer;
let transport: ReturnType<typeof createTransport>;

before(async () => {
  server = rpcServer({
    runtime,
    reflection: true,
    load: new LoadReporter({ runtime, read: () => reading }),
    routes: (router) => router.service(EchoService, echoHandlers('a')),
  });
  await server.start();
  transport = createTransport({ runtime, target: `127.0.0.1:${server.address.port}` });
});
after(async () => {
  transport.close();
  await server.stop();
});

type Question = ServerReflectionRequest['messageRequest'];

async function ask(...questions: Question[]): Promise<ServerReflectionResponse['messageResponse'][]> {
  const answers: ServerReflectionResponse['messageResponse'][] = [];
  const requests = async function* (): AsyncGenerator<{ host: string; messageRequest: Question }, void> {
    for (const messageRequest of questions) yield { host: 'h', messageRequest };
  };
  for await (const answer of createClient(ServerReflection, transport).serverReflectionInfo(requests())) {
    assert.equal(answer.validHost, 'h');
    answers.push(answer.messageResponse);
  }
  return answers;
}

function filesIn(answer: ServerReflectionResponse['messageResponse'] | undefined): string[] {
  assert.equal(answer?.case, 'fileDescriptorResponse');
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
}

test('lists what is served, in both versions', async () => {
  const [list] = await ask({ case: 'listServices', value: '' });
  assert.equal(list?.case, 'listServicesResponse');
  assert.deepEqual(list.value.service.map(({ name }) => name).toSorted(), [
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
    'heddle.testing.v1.EchoService',
    'xds.service.orca.v3.OpenRcaService',
  ]);
  const requests = async function* (): AsyncGenerator<
    { messageRequest: { case: 'listServices'; value: string } },
    void
  > {
    yield { messageRequest: { case: 'listServices', value: '' } };
  };
  for await (const { messageResponse } of createClient(Alpha, transport).serverReflectionInfo(requests()))
    assert.equal(messageResponse.case, 'listServicesResponse');
});

test('files by service, method, message and name, with what they import, each once', async () => {
  const [service, orca, again, method] = await ask(
    { case: 'fileContainingSymbol', value: 'heddle.testing.v1.EchoService' },
    { case: 'fileContainingSymbol', value: 'xds.service.orca.v3.OpenRcaService' },
    { case: 'fileByFilename', value: 'xds/service/orca/v3/orca.proto' },
    { case: 'fileContainingSymbol', value: 'heddle.testing.v1.EchoService.Echo' },
  );
  assert.deepEqual(filesIn(service), ['heddle/testing/v1/echo.proto']);
  assert.deepEqual(filesIn(orca), [
    'xds/service/orca/v3/orca.proto',
    'google/protobuf/duration.proto',
    'xds/data/orca/v3/orca_load_report.proto',
  ]);
  assert.deepEqual([filesIn(again), filesIn(method)], [[], []]);
});

test('what is not known is said to be so, and the stream goes on', async () => {
  const [unknown, extension, numbers, list] = await ask(
    { case: 'fileContainingSymbol', value: 'no.Such' },
    { case: 'allExtensionNumbersOfType', value: 'no.Such' },
    { case: 'allExtensionNumbersOfType', value: 'heddle.testing.v1.EchoRequest' },
    { case: 'listServices', value: '' },
  );
  assert.ok(unknown?.case === 'errorResponse' && unknown.value.errorCode === 5);
  assert.ok(extension?.case === 'errorResponse');
  assert.ok(numbers?.case === 'allExtensionNumbersResponse' && numbers.value.extensionNumber.length === 0);
  assert.equal(list?.case, 'listServicesResponse');
});

test('it is off unless it is switched on', async () => {
  const other = rpcServer({ runtime, routes: (router) => router.service(EchoService, echoHandlers('b')) });
  await other.start();
  const closed = createTransport({ runtime, target: `127.0.0.1:${other.address.port}` });
  const requests = async function* (): AsyncGenerator<object, void> {
    yield {};
  };
  const read = async (): Promise<void> => {
    for await (const _ of createClient(ServerReflection, closed).serverReflectionInfo(requests()));
  };
  await assert.rejects(read(), (error) => error instanceof HeddleError && error.code === 'unimplemented');
  closed.close();
  await other.stop();
});

test('load travels with each answer, and as a stream of its own', async () => {
  let trailer: Headers | undefined;
  await createClient(EchoService, transport).echo({}, { onTrailer: (headers) => (trailer = headers) });
  assert.match(trailer?.get('endpoint-load-metrics-bin') ?? '', /^[A-Za-z0-9+/]+$/);
  const reports = createClient(OpenRcaService, transport).streamCoreMetrics({
    reportInterval: { seconds: 0n, nanos: 100_000_000 },
  });
  let seen = 0;
  for await (const { applicationUtilization, namedMetrics } of reports) {
    assert.equal(applicationUtilization, 0.5);
    assert.equal(namedMetrics['event_loop_delay_p99_seconds'], 0.25);
    if (++seen === 2) break;
  }
});
