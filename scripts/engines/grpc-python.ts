// grpcio of the Debian archive: its own implementation of HTTP/2 and gRPC, in C.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { unpack } from './apt.ts';
import { cached } from './cache.ts';
import { lastWords, run } from './command.ts';
import { type Engine, type Found, type Missing, type Place, required } from './engine.ts';
import { type Peer, startPeer } from './peer.ts';

/** What the peer of the interoperability tests is to be. */
export interface GrpcPythonOptions {
  /** A file with the serialized FileDescriptorProto of grpc.testing. */
  readonly descriptor: string;
  /** For a client: the server. Without it the peer is a server. */
  readonly target?: Place;
}

/** A grpcio peer; as a client it answers the name of a case by `pass` or `fail <why>`. */
export interface GrpcPythonEngine extends Engine<GrpcPythonOptions> {
  /** Cases that its client knows. */
  readonly cases: readonly string[];
  start(options: GrpcPythonOptions): Promise<Peer>;
}

const packageName = 'python3-grpcio';
// Debian's packages are made for Debian's Python, whatever else is on the PATH.
const interpreter = '/usr/bin/python3';
const program = path.join(import.meta.dirname, 'grpc-python', 'peer.py');

/** The service and the client of the interoperability tests on grpcio. */
export const grpcPython: GrpcPythonEngine = {
  name: 'grpc-python',
  cases: [
    'empty_unary',
    'large_unary',
    'client_streaming',
    'server_streaming',
    'ping_pong',
    'empty_stream',
    'cancel_after_first_response',
    'timeout_on_sleeping_server',
    'custom_metadata',
    'client_compressed_unary',
    'client_compressed_streaming',
    'server_compressed_unary',
    'server_compressed_streaming',
    'status_code_and_message',
    'special_status_message',
    'unimplemented_method',
    'unimplemented_service',
  ],
  find,
  install: async () => {
    if (!existsSync(interpreter)) return { missing: `${packageName} needs ${interpreter}` };
    const unpacked = await unpack(packageName);
    return typeof unpacked === 'string' ? find() : unpacked;
  },
  verify: async () => {
    const done = await run(interpreter, ['-c', 'import grpc; grpc.insecure_channel("127.0.0.1:1").close()'], {
      env: env(),
    });
    if (done.code !== 0) throw new Error(lastWords(done.output));
  },
  start: async ({ descriptor, target }) => {
    const { path: command } = await required(grpcPython);
    const role = target === undefined ? ['server'] : ['client', `${target.host}:${target.port}`];
    return startPeer({ name: 'grpc-python', command, args: [program, descriptor, ...role], env: env() });
  },
};

async function find(): Promise<Found | Missing> {
  if (!existsSync(interpreter)) return { missing: `${packageName} needs ${interpreter}` };
  const said = await run(interpreter, ['-c', 'import grpc, google.protobuf; print(grpc.__version__)'], {
    env: env(),
  });
  const version = /^(\d[\w.]*)$/m.exec(said.output)?.[1];
  if (said.code === 0 && version !== undefined) return { path: interpreter, version };
  return { missing: `${packageName} is neither installed nor in the cache` };
}

/** Where an unpacked package lies; harmless where there is none. */
function env(): Record<string, string> {
  const folder = cached(`apt-${packageName}`);
  const { arch } = process;
  const triplet = arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  return {
    PYTHONPATH: path.join(folder, 'usr/lib/python3/dist-packages'),
    LD_LIBRARY_PATH: path.join(folder, 'usr/lib', triplet),
  };
}
