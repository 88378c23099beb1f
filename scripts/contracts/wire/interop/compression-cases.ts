// The cases about compression of grpc/grpc `doc/interop-test-descriptions.md`. What few implementations tell their callers
// is whether a message came compressed, so the server checks requests, and answers are checked by what is in them.
import assert from 'node:assert/strict';
import { type InteropClient, of } from './dialogue.ts';
import { TestService } from './gen/grpc/testing/test_pb.ts';

const { unaryCall, streamingInputCall, streamingOutputCall } = TestService.method;
const invalidArgument = 3;
const payload = { body: new Uint8Array(27_182) };
const responseSize = 314_159;
const asked = { expectCompressed: { value: true } };

/** For servers that compress when asked: `response_compressed`. */
export const serverCompressedCases: Readonly<Record<string, (client: InteropClient) => Promise<void>>> = {
  server_compressed_unary: async (client) => {
    for (const value of [true, false]) {
      const call = client.open(of(unaryCall));
      call.send({ responseSize, payload, responseCompressed: { value } });
      call.finish();
      assert.equal((await call.receive())?.payload?.body.byteLength, responseSize);
      assert.equal(await call.receive(), undefined);
      assert.equal(call.status.code, 0);
      if (value && client.showsEncoding) assert.equal(call.header('grpc-encoding'), 'gzip');
    }
  },
  server_compressed_streaming: async (client) => {
    const call = client.open(of(streamingOutputCall));
    const responseParameters = [
      { size: 31_415, compressed: { value: true } },
      { size: 92_653, compressed: { value: false } },
    ];
    call.send({ responseParameters });
    call.finish();
    for (const { size } of responseParameters)
      assert.equal((await call.receive())?.payload?.body.byteLength, size);
    assert.equal(await call.receive(), undefined);
    assert.equal(call.status.code, 0);
    if (client.showsEncoding) assert.equal(call.header('grpc-encoding'), 'gzip');
  },
};

/** For servers that read compressed requests and cannot tell that they were. */
export const compressedRequestCases: Readonly<Record<string, (client: InteropClient) => Promise<void>>> = {
  compressed_requests: async (client) => {
    const unary = client.open(of(unaryCall), { compressed: true });
    unary.send({ responseSize, payload });
    unary.finish();
    assert.equal((await unary.receive())?.payload?.body.byteLength, responseSize);
    const stream = client.open(of(streamingInputCall), { compressed: true });
    for (const size of [27_182, 0, 45_904]) stream.send({ payload: { body: new Uint8Array(size) } });
    stream.finish();
    assert.equal((await stream.receive())?.aggregatedPayloadSize, 73_086);
  },
};

/** For servers that can tell whether a request was compressed: `expect_compressed`. */
export const clientCompressedCases: Readonly<Record<string, (client: InteropClient) => Promise<void>>> = {
  client_compressed_unary: async (client) => {
    for (const [compressed, code] of [
      [false, invalidArgument],
      [true, 0],
    ] as const) {
      const call = client.open(of(unaryCall), { compressed });
      call.send({ responseSize, payload, ...asked });
      call.finish();
      const answer = await call.receive();
      assert.equal(answer?.payload?.body.byteLength, code === 0 ? responseSize : undefined);
      if (answer !== undefined) assert.equal(await call.receive(), undefined);
      assert.equal(call.status.code, code);
    }
  },
  client_compressed_streaming: async (client) => {
    for (const [compressed, code] of [
      [false, invalidArgument],
      [true, 0],
    ] as const) {
      const call = client.open(of(streamingInputCall), { compressed });
      for (const size of [27_182, 45_904]) call.send({ payload: { body: new Uint8Array(size) }, ...asked });
      call.finish();
      const answer = await call.receive();
      assert.equal(answer?.aggregatedPayloadSize, code === 0 ? 73_086 : undefined);
      if (answer !== undefined) assert.equal(await call.receive(), undefined);
      assert.equal(call.status.code, code);
    }
  },
};
