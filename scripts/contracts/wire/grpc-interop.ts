// gRPC's interoperability cases: our server before the clients of others, and our client before their servers.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { nodeRuntime } from '@heddle/kernel/node';
import { rpcServer } from '@heddle/rpc';
import { dataFolder } from '../../engines/cache.ts';
import { lastWords, run } from '../../engines/command.ts';
import { isMissing, obtain, type Place } from '../../engines/engine.ts';
import { grpcGoInteropClient, grpcGoInteropServer } from '../../engines/grpc-go.ts';
import { grpcPython } from '../../engines/grpc-python.ts';
import { type Contract, type ContractResult, resultOf, skippedWhole } from '../result.ts';
import { interopCases } from './interop/cases.ts';
import {
  clientCompressedCases,
  compressedRequestCases,
  serverCompressedCases,
} from './interop/compression-cases.ts';
import type { InteropClient } from './interop/dialogue.ts';
import { TestService } from './interop/gen/grpc/testing/test_pb.ts';
import { grpcJsClient } from './interop/grpc-js-client.ts';
import { grpcJsVersion, startGrpcJsServer } from './interop/grpc-js-server.ts';
import { heddleClient } from './interop/heddle-client.ts';
import { testService } from './interop/test-service.ts';

const backend = 'grpc-interop';
const caseLimitMs = 30_000;
const runtime = nodeRuntime({ name: 'interop', logLevel: 'error' });

/** Each case with each counterpart in each role is a result. */
export const grpcInterop: Contract = {
  backend,
  run: async () => {
    const server = rpcServer({ runtime, routes: (router) => router.service(TestService, testService) });
    await server.start?.();
    try {
      return [
        ...(await cases('grpc-js client', grpcJsVersion, grpcJsClient(server.address), {
          ...interopCases,
          ...clientCompressedCases,
          ...serverCompressedCases,
        })),
        ...(await goClient(server.address)),
        ...(await goServer()),
        ...(await jsServer()),
        ...(await python(server.address)),
      ];
    } finally {
      await server.stop?.();
    }
  },
};

async function goClient(target: Place): Promise<readonly ContractResult[]> {
  const found = await obtain(grpcGoInteropClient);
  if (isMissing(found)) return skippedWhole(backend, `grpc-go client: ${found.missing}`);
  const results: ContractResult[] = [];
  for (const name of Object.keys(interopCases)) {
    const one = async (): Promise<void> => {
      const flags = [`--server_host=${target.host}`, `--server_port=${target.port}`, `--test_case=${name}`];
      const ended = await run(found.path, flags, { timeoutMs: caseLimitMs });
      if (ended.code !== 0) throw new Error(lastWords(ended.output));
    };
    results.push(await resultOf(backend, found.version, `grpc-go client: ${name}`, one));
  }
  return results;
}

async function goServer(): Promise<readonly ContractResult[]> {
  const found = await obtain(grpcGoInteropServer);
  if (isMissing(found)) return skippedWhole(backend, `grpc-go server: ${found.missing}`);
  const server = await grpcGoInteropServer.start({});
  try {
    return [
      ...(await cases('grpc-go server', found.version, heddleClient(runtime, server.address))),
      {
        backend,
        version: found.version,
        case: 'grpc-go server: compressed_requests',
        status: 'unsupported',
        detail: 'its interoperability server answers "Decompressor is not installed"',
      },
    ];
  } finally {
    await server.stop();
  }
}

async function jsServer(): Promise<readonly ContractResult[]> {
  const server = await startGrpcJsServer();
  try {
    return await cases('grpc-js server', grpcJsVersion, heddleClient(runtime, server.address), {
      ...interopCases,
      ...compressedRequestCases,
    });
  } finally {
    server.stop();
  }
}

/** Both roles; the cases of its client are written in Python. */
async function python(target: Place): Promise<readonly ContractResult[]> {
  const found = await obtain(grpcPython);
  if (isMissing(found)) return skippedWhole(backend, `grpc-python: ${found.missing}`);
  const folder = dataFolder('grpc-python');
  const descriptor = path.join(folder, 'test.binpb');
  writeFileSync(descriptor, toBinary(FileDescriptorProtoSchema, TestService.file.proto));
  const results: ContractResult[] = [];
  const client = await grpcPython.start({ descriptor, target });
  const server = await grpcPython.start({ descriptor });
  try {
    for (const name of grpcPython.cases) {
      const one = async (): Promise<void> => {
        const said = await client.ask(name);
        if (said !== 'pass') throw new Error(said);
      };
      results.push(await resultOf(backend, found.version, `grpc-python client: ${name}`, one));
    }
    return [
      ...results,
      ...(await cases('grpc-python server', found.version, heddleClient(runtime, server.address), {
        ...interopCases,
        ...compressedRequestCases,
        ...serverCompressedCases,
      })),
    ];
  } finally {
    await Promise.all([client.stop(), server.stop()]);
    rmSync(folder, { recursive: true });
  }
}

async function cases(
  counterpart: string,
  version: string,
  client: InteropClient,
  table: typeof interopCases = interopCases,
): Promise<readonly ContractResult[]> {
  const results: ContractResult[] = [];
  try {
    for (const [name, one] of Object.entries(table))
      results.push(await resultOf(backend, version, `${counterpart}: ${name}`, () => inTime(one(client))));
  } finally {
    await client.close();
  }
  return results;
}

async function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${caseLimitMs} ms`)), caseLimitMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
