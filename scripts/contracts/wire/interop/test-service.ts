// The service of the interoperability tests on our RPC server.
import { codes, HeddleError, type Call, sleep } from '@heddle/kernel';
import { metadata, type RpcHandlers } from '@heddle/rpc';
import type { BoolValue, EchoStatus, TestService } from './gen/grpc/testing/test_pb.ts';

/** Echoed in the header and in the trailer, as the tests ask for it. */
export const echoedHeader = 'x-grpc-test-echo-initial';
export const echoedTrailer = 'x-grpc-test-echo-trailing-bin';

/** Handlers that do what `interop-test-descriptions.md` says of a server. */
export const testService: RpcHandlers<typeof TestService> = {
  emptyCall: () => ({}),
  unaryCall: (request, call) => {
    echoMetadata(call);
    checkCompressed(request.expectCompressed, call);
    failIfAsked(request.responseStatus);
    compressNext(request.responseCompressed, call);
    return { payload: { body: new Uint8Array(request.responseSize) } };
  },
  async *streamingOutputCall({ responseParameters }, call) {
    for (const { size, intervalUs, compressed } of responseParameters) {
      compressNext(compressed, call);
      if (intervalUs > 0) await sleep(call.runtime.timers, intervalUs / 1000, call);
      yield { payload: { body: new Uint8Array(size) } };
    }
  },
  streamingInputCall: async (messages, call) => {
    let aggregatedPayloadSize = 0;
    for await (const { payload, expectCompressed } of messages) {
      checkCompressed(expectCompressed, call);
      aggregatedPayloadSize += payload?.body.byteLength ?? 0;
    }
    return { aggregatedPayloadSize };
  },
  async *fullDuplexCall(messages, call) {
    echoMetadata(call);
    for await (const { responseParameters, responseStatus } of messages) {
      failIfAsked(responseStatus);
      for (const { size } of responseParameters) yield { payload: { body: new Uint8Array(size) } };
    }
  },
};

function echoMetadata(call: Call): void {
  const own = call.get(metadata);
  const header = own?.request.get(echoedHeader);
  if (header !== undefined) own?.header.append(echoedHeader, header);
  const trailer = own?.request.get(echoedTrailer);
  if (trailer !== undefined) own?.trailer.append(echoedTrailer, trailer);
}

function checkCompressed(expected: BoolValue | undefined, call: Call): void {
  if (expected?.value !== true || call.get(metadata)?.requestCompressed === true) return;
  const message = 'the message was to come compressed, and did not';
  throw new HeddleError({ code: 'invalid_argument', reason: 'NOT_COMPRESSED', message });
}

function compressNext(wanted: BoolValue | undefined, call: Call): void {
  const own = call.get(metadata);
  if (wanted !== undefined && own !== undefined) own.compressed = wanted.value;
}

function failIfAsked(status: EchoStatus | undefined): void {
  if (status === undefined || status.code === 0) return;
  const code = codes[status.code - 1] ?? 'unknown';
  throw new HeddleError({ code, reason: 'ASKED_FOR', message: status.message });
}
