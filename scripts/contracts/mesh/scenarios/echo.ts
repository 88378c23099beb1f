// Backends of the scenarios: each says who it is, and misbehaves as it is told.
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { StringValueSchema } from '@bufbuild/protobuf/wkt';
import { type Metadata, type MethodDefinition, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { Place } from '../../../engines/engine.ts';

/** What a backend does with its calls. */
export interface Conduct {
  /** Fails so many of the next calls; -1: all. */
  failing: number;
  /** With this code of gRPC. */
  failWith: number;
  delayMs: number;
}

/** A server of one method. */
export interface Echo extends Place {
  readonly name: string;
  readonly conduct: Conduct;
  /** Calls that have come. */
  calls: number;
  /** The metadata of the last call. */
  last: Metadata | undefined;
  stop(): void;
}

// The wire of google.protobuf.StringValue, so that clients of any make can ask.
const bytes = (value: string): Buffer =>
  Buffer.from(toBinary(StringValueSchema, create(StringValueSchema, { value })));
const text = (message: Uint8Array): string => fromBinary(StringValueSchema, message).value;

/** `/shop.Echo/Say`: takes a text, answers with the server's name. */
export const sayMethod: MethodDefinition<string, string> = {
  path: '/shop.Echo/Say',
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: text,
  responseSerialize: bytes,
  responseDeserialize: text,
};

/** Answers of one backend, for whichever server has it. */
export function echoHandler(
  echo: Omit<Echo, 'stop' | 'host' | 'port'>,
): (call: { readonly metadata: Metadata }, answer: (error: object | null, text?: string) => void) => void {
  return (call, answer) => {
    echo.calls += 1;
    echo.last = call.metadata;
    const { conduct } = echo;
    const isFailing = conduct.failing !== 0;
    if (conduct.failing > 0) conduct.failing -= 1;
    const reply = (): void =>
      isFailing ? answer({ code: conduct.failWith, details: 'told to fail' }) : answer(null, echo.name);
    if (conduct.delayMs > 0) setTimeout(reply, conduct.delayMs);
    else reply();
  };
}

/** Starts one on a free port. */
export async function startEcho(name: string): Promise<Echo> {
  const server = new Server();
  const made = {
    name,
    conduct: { failing: 0, failWith: status.UNAVAILABLE as number, delayMs: 0 },
    calls: 0,
    last: undefined as Metadata | undefined,
    host: '127.0.0.1',
    port: 0,
    stop: () => server.forceShutdown(),
  };
  server.addService({ Say: sayMethod }, { Say: echoHandler(made) });
  made.port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    ),
  );
  return made;
}
