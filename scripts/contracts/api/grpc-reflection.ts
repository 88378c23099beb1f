// What reflection tells: to grpcurl of ours, and to us of grpc-go's server; and calls by it, all four patterns.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mockService, operationsOf, readDescriptors, reflected, tryRpc, type Json } from '@heddle/api';
import { nodeRuntime } from '@heddle/kernel/node';
import { createTransport, httpServer } from '@heddle/rpc';
import { lastWords, run } from '../../engines/command.ts';
import { isMissing, obtain } from '../../engines/engine.ts';
import { grpcurl } from '../../engines/grpcurl.ts';
import { type Contract, type ContractResult, resultOf, skippedWhole } from '../result.ts';
import { type Cases, shelves } from './cases.ts';

const backend = 'grpc-reflection';
const runtime = nodeRuntime({ name: backend, logLevel: 'error' });
const service = 'grpc.testing.TestService';

/** Against a server of ours that answers with examples, with grpcurl at the other end. */
export const grpcReflectionContract: Contract = {
  backend,
  run: async (only = () => true) => {
    const found = await obtain(grpcurl);
    if (isMissing(found)) return skippedWhole(backend, found.missing);
    const folder = mkdtempSync(path.join(tmpdir(), 'heddle-reflection-'));
    const server = httpServer(mockService(shelves), { runtime });
    await server.start();
    const place = `127.0.0.1:${server.address.port}`;
    const results: ContractResult[] = [];
    try {
      for (const [name, each] of Object.entries(casesAt(place, found.path, folder)))
        if (only(name)) results.push(await resultOf(backend, found.version, name, each));
      return results;
    } finally {
      await server.stop();
      rmSync(folder, { recursive: true });
    }
  },
};

function casesAt(place: string, program: string, folder: string): Cases {
  const transport = (): ReturnType<typeof createTransport> =>
    createTransport({ runtime, target: `static:///${place}` });
  const collectedNow = async (): Promise<{
    descriptors?: string | undefined;
    services?: readonly string[] | undefined;
  }> => {
    const open = transport();
    try {
      return await reflected(open);
    } finally {
      open.close();
    }
  };
  const called = async (before: readonly string[], after: readonly string[]): Promise<string> => {
    const ended = await run(program, ['-plaintext', ...before, place, ...after], { timeoutMs: 60_000 });
    if (ended.code !== 0) throw new Error(lastWords(ended.output));
    return ended.output;
  };
  return {
    'what is collected by reflection is what is served, with all that it imports': async () => {
      const { descriptors = '', services } = await collectedNow();
      assert.deepEqual(services, [service]);
      const names = [...readDescriptors(descriptors).files].map(({ proto }) => proto.name).toSorted();
      assert.deepEqual(names, ['grpc/testing/test.proto']);
      const ids = operationsOf({ descriptors, services }).map(({ id }) => id);
      assert.ok(ids.includes(`${service}/FullDuplexCall`), ids.join());
    },
    'grpcurl finds the same by itself': async () => {
      assert.match(await called([], ['list']), /^grpc\.testing\.TestService$/m);
      assert.match(
        await called([], ['describe', `${service}.FullDuplexCall`]),
        /stream .*StreamingOutputCallRequest/,
      );
    },
    'grpcurl calls all four patterns by what was collected, without asking the server': async () => {
      const file = path.join(folder, 'collected.binpb');
      writeFileSync(file, Buffer.from((await collectedNow()).descriptors ?? '', 'base64'));
      const by = ['-protoset', file, '-d'];
      assert.match(await called([...by, '{}'], [`${service}/UnaryCall`]), /"username": "username"/);
      assert.match(await called([...by, '{}{}'], [`${service}/StreamingInputCall`]), /aggregatedPayloadSize/);
      assert.equal(
        (await called([...by, '{}'], [`${service}/StreamingOutputCall`])).match(/"payload"/g)?.length,
        2,
      );
      assert.equal(
        (await called([...by, '{}{}{}'], [`${service}/FullDuplexCall`])).match(/"payload"/g)?.length,
        3,
      );
    },
    'what is tried here goes through all four patterns too, and what is no message is refused': async () => {
      const { descriptors, services } = await collectedNow();
      const methods = operationsOf({ descriptors, services });
      const open = transport();
      const answers = async (name: string, inputs: readonly Json[]): Promise<number> => {
        const operation = methods.find(({ id }) => id === `${service}/${name}`);
        assert.ok(operation?.kind === 'grpc');
        let count = 0;
        for await (const _ of tryRpc(open, operation.method, eachOf(inputs))) count += 1;
        return count;
      };
      try {
        const counts = [
          await answers('UnaryCall', [{ fillUsername: true }]),
          await answers('StreamingInputCall', [{}, {}, {}]),
          await answers('StreamingOutputCall', [{}]),
          await answers('FullDuplexCall', [{}, {}, {}]),
        ];
        assert.deepEqual(counts, [1, 1, 2, 3]);
        await assert.rejects(answers('UnaryCall', [{ nothing: 1 }]), { reason: 'BAD_MESSAGE' });
        await assert.rejects(answers('UnaryCall', [{}, {}]), { reason: 'BAD_MESSAGE' });
      } finally {
        open.close();
      }
    },
  };
}

async function* eachOf<T>(items: readonly T[]): AsyncGenerator<T, void> {
  yield* items;
}
