// The service of the interoperability tests on grpc-js.
import { createRequire } from 'node:module';
import { create, type DescMethod, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import type { Place } from '../../../engines/engine.ts';
import {
  type EchoStatus,
  type StreamingInputCallRequestSchema,
  type StreamingOutputCallRequestSchema,
  type SimpleRequestSchema,
  TestService,
} from './gen/grpc/testing/test_pb.ts';
import { echoedHeader, echoedTrailer } from './test-service.ts';

type Stream = ServerDuplexStream<unknown, Record<string, unknown>>;
type Handler = (stream: Stream, metadata: Metadata) => Promise<void>;

/** Starts one on a free port. */
export async function startGrpcJsServer(): Promise<{ readonly address: Place; stop(): void }> {
  const server = new Server();
  const definition: Record<string, ServiceDefinition[string]> = {};
  for (const [name, method] of Object.entries(TestService.method))
    if (handlers[name] !== undefined) definition[name] = definitionOf(method);
  server.addService(
    definition,
    Object.fromEntries(Object.entries(handlers).map(([name, handler]) => [name, served(handler)])),
  );
  const port = await new Promise<number>((resolve, reject) => {
    const done = (error: Error | null, bound: number): void =>
      error === null ? resolve(bound) : reject(error);
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), done);
  });
  return { address: { host: '127.0.0.1', port }, stop: () => server.forceShutdown() };
}

/** Every kind of call as a stream in both directions, which is what it is on the wire. */
function definitionOf(method: DescMethod): ServiceDefinition[string] {
  const { input, output } = method;
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: true,
    responseStream: true,
    requestDeserialize: (bytes: Buffer) => fromBinary(input, bytes),
    requestSerialize: (message: MessageShape<typeof input>) => Buffer.from(toBinary(input, message)),
    responseSerialize: (message: Record<string, unknown>) =>
      Buffer.from(toBinary(output, create(output, message))),
    responseDeserialize: (bytes: Buffer) => fromBinary(output, bytes),
  };
}

const handlers: Readonly<Record<string, Handler>> = {
  emptyCall: async (stream) => {
    for await (const _ of requestsOf(stream)) stream.write({});
  },
  unaryCall: async (stream) => {
    for await (const request of requestsOf<MessageShape<typeof SimpleRequestSchema>>(stream)) {
      failIfAsked(request.responseStatus);
      stream.write({ payload: { body: new Uint8Array(request.responseSize) } });
    }
  },
  streamingInputCall: async (stream) => {
    let aggregatedPayloadSize = 0;
    for await (const { payload } of requestsOf<MessageShape<typeof StreamingInputCallRequestSchema>>(stream))
      aggregatedPayloadSize += payload?.body.byteLength ?? 0;
    stream.write({ aggregatedPayloadSize });
  },
  streamingOutputCall: duplex,
  fullDuplexCall: duplex,
};

async function duplex(stream: Stream): Promise<void> {
  const requests = requestsOf<MessageShape<typeof StreamingOutputCallRequestSchema>>(stream);
  for await (const { responseParameters, responseStatus } of requests) {
    failIfAsked(responseStatus);
    for (const { size } of responseParameters) stream.write({ payload: { body: new Uint8Array(size) } });
  }
}

/** Reads without destroying the stream at the end: the answer is still to be written. */
function requestsOf<T>(stream: Stream): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => stream.iterator({ destroyOnReturn: false }) };
}

class Asked extends Error {
  readonly status: EchoStatus;
  constructor(status: EchoStatus) {
    super(status.message);
    this.status = status;
  }
}

function failIfAsked(status: EchoStatus | undefined): void {
  if (status !== undefined && status.code !== 0) throw new Asked(status);
}

/** Echoes metadata, and ends the call as the handler ended. */
function served(handler: Handler): (stream: Stream) => void {
  return (stream) => {
    const header = new Metadata();
    const trailer = new Metadata();
    for (const value of stream.metadata.get(echoedHeader)) header.add(echoedHeader, value);
    for (const value of stream.metadata.get(echoedTrailer)) trailer.add(echoedTrailer, value);
    stream.sendMetadata(header);
    handler(stream, trailer).then(
      () => stream.end(trailer),
      (error: unknown) => {
        if (error instanceof Asked)
          stream.emit('error', { code: error.status.code, details: error.message, metadata: trailer });
        else stream.destroy();
      },
    );
  };
}

/** Of the package that is installed. */
export const grpcJsVersion: string = (
  createRequire(import.meta.url)('@grpc/grpc-js/package.json') as { version: string }
).version;
