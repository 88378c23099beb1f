// The cases of grpc/grpc `doc/interop-test-descriptions.md` that need neither a cloud nor a feature that is optional.
import assert from 'node:assert/strict';
import type { DescMessage, DescMethod } from '@bufbuild/protobuf';
import { type Dialogue, type InteropClient, of, type Status } from './dialogue.ts';
import { EmptySchema, TestService, UnimplementedService } from './gen/grpc/testing/test_pb.ts';
import { echoedHeader, echoedTrailer } from './test-service.ts';

const { emptyCall, unaryCall, streamingInputCall, streamingOutputCall, fullDuplexCall, unimplementedCall } =
  TestService.method;
const requestSizes = [27_182, 8, 1828, 45_904];
const responseSizes = [31_415, 9, 2653, 58_979];
const unimplemented = 12;

/** Each one passes unless it rejects. */
export const interopCases: Readonly<Record<string, (client: InteropClient) => Promise<void>>> = {
  empty_unary: async (client) => {
    const call = client.open(of(emptyCall));
    call.send({});
    await expectEnd(call, 1);
  },
  large_unary: async (client) => {
    const call = client.open(of(unaryCall));
    call.send({ responseSize: 314_159, payload: { body: new Uint8Array(271_828) } });
    call.finish();
    const answer = await call.receive();
    assert.equal(answer?.payload?.body.byteLength, 314_159);
    await expectEnd(call, 0);
  },
  client_streaming: async (client) => {
    const call = client.open(of(streamingInputCall));
    for (const size of requestSizes) call.send({ payload: { body: new Uint8Array(size) } });
    call.finish();
    const answer = await call.receive();
    assert.equal(answer?.aggregatedPayloadSize, 74_922);
    await expectEnd(call, 0);
  },
  server_streaming: async (client) => {
    const call = client.open(of(streamingOutputCall));
    call.send({ responseParameters: responseSizes.map((size) => ({ size })) });
    call.finish();
    for (const size of responseSizes) {
      const answer = await call.receive();
      assert.equal(answer?.payload?.body.byteLength, size);
    }
    await expectEnd(call, 0);
  },
  ping_pong: async (client) => {
    const call = client.open(of(fullDuplexCall));
    for (const [at, size] of responseSizes.entries()) {
      const payload = { body: new Uint8Array(requestSizes[at] ?? 0) };
      call.send({ responseParameters: [{ size }], payload });
      const answer = await call.receive();
      assert.equal(answer?.payload?.body.byteLength, size);
    }
    await expectEnd(call, 0);
  },
  empty_stream: (client) => expectEnd(client.open(of(fullDuplexCall)), 0),
  cancel_after_begin: async (client) => {
    const call = client.open(of(streamingInputCall));
    call.cancel();
    assert.equal(await call.receive(), undefined);
    assert.equal(call.status.code, 1);
  },
  cancel_after_first_response: async (client) => {
    const call = client.open(of(fullDuplexCall));
    call.send({ responseParameters: [{ size: 31_415 }], payload: { body: new Uint8Array(27_182) } });
    const answer = await call.receive();
    assert.equal(answer?.payload?.body.byteLength, 31_415);
    call.cancel();
    assert.equal(await call.receive(), undefined);
    assert.equal(call.status.code, 1);
  },
  timeout_on_sleeping_server: async (client) => {
    const call = client.open(of(fullDuplexCall), { timeoutMs: 1 });
    call.send({ payload: { body: new Uint8Array(27_182) } });
    assert.equal(await call.receive(), undefined);
    assert.equal(call.status.code, 4);
  },
  custom_metadata: customMetadata,
  status_code_and_message: (client) => expectStatus(client, 2, 'test status message'),
  special_status_message: (client) =>
    expectStatus(client, 2, '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n'),
  unimplemented_method: (client) => expectUnimplemented(client, unimplementedCall),
  unimplemented_service: (client) =>
    expectUnimplemented(client, UnimplementedService.method.unimplementedCall),
};

async function customMetadata(client: InteropClient): Promise<void> {
  const value = Buffer.from([0xab, 0xab, 0xab]).toString('base64').replaceAll('=', '');
  const metadata = { [echoedHeader]: 'test_initial_metadata_value', [echoedTrailer]: value };
  const unary = client.open(of(unaryCall), { metadata });
  unary.send({ responseSize: 1, payload: { body: new Uint8Array(1) } });
  await expectEnd(unary, 1);
  const duplex = client.open(of(fullDuplexCall), { metadata });
  duplex.send({ responseParameters: [{ size: 1 }], payload: { body: new Uint8Array(1) } });
  await expectEnd(duplex, 1);
  for (const call of [unary, duplex]) {
    assert.equal(call.header(echoedHeader), 'test_initial_metadata_value');
    assert.equal(call.trailer(echoedTrailer)?.replaceAll('=', ''), value);
  }
}

async function expectStatus(client: InteropClient, code: number, message: string): Promise<void> {
  const responseStatus = { code, message };
  const unary = client.open(of(unaryCall));
  unary.send({ responseStatus });
  await expectFailure(unary, { code, message });
  const duplex = client.open(of(fullDuplexCall));
  duplex.send({ responseStatus });
  await expectFailure(duplex, { code, message });
}

async function expectFailure<I extends DescMessage, O extends DescMessage>(
  call: Dialogue<I, O>,
  status: Status,
): Promise<void> {
  call.finish();
  assert.equal(await call.receive(), undefined);
  assert.deepEqual(call.status, status);
}

async function expectUnimplemented(client: InteropClient, desc: DescMethod): Promise<void> {
  const call = client.open({ desc, input: EmptySchema, output: EmptySchema });
  call.send({});
  call.finish();
  assert.equal(await call.receive(), undefined);
  assert.equal(call.status.code, unimplemented);
}

/** Finishes sending and expects so many more messages and a success. */
async function expectEnd<I extends DescMessage, O extends DescMessage>(
  call: Dialogue<I, O>,
  messages: number,
): Promise<void> {
  call.finish();
  let received = 0;
  while ((await call.receive()) !== undefined) received++;
  assert.deepEqual(call.status, { code: 0, message: '' });
  assert.equal(received, messages);
}
