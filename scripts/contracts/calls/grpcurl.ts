// grpcurl, a client that knows nothing of a server but what reflection tells it.
import { nodeRuntime } from '@heddle/kernel/node';
import { rpcServer } from '@heddle/rpc';
import { UserService } from '../../../examples/shop/src/gen/shop/user/v1/user_pb.ts';
import { lastWords, run } from '../../engines/command.ts';
import { isMissing, obtain } from '../../engines/engine.ts';
import { grpcurl } from '../../engines/grpcurl.ts';
import { type Contract, resultOf, skippedWhole } from '../result.ts';

const backend = 'grpcurl';

/** Reflection, health and a call by name. */
export const grpcurlContract: Contract = {
  backend,
  run: async () => {
    const found = await obtain(grpcurl);
    if (isMissing(found)) return skippedWhole(backend, found.missing);
    const runtime = nodeRuntime({ name: backend, logLevel: 'error' });
    const server = rpcServer({
      runtime,
      reflection: true,
      routes: (router) =>
        router.service(UserService, { getUser: ({ userId }) => ({ user: { userId, name: 'Ada' } }) }),
    });
    await server.start();
    server.health.setAll(true);
    const place = `127.0.0.1:${server.address.port}`;
    const says = async (
      pattern: RegExp,
      before: readonly string[],
      after: readonly string[],
    ): Promise<void> => {
      const ended = await run(found.path, ['-plaintext', ...before, place, ...after], { timeoutMs: 20_000 });
      if (ended.code !== 0 || !pattern.test(ended.output)) throw new Error(lastWords(ended.output));
    };
    const cases: Readonly<Record<string, () => Promise<void>>> = {
      list: () => says(/^shop\.user\.v1\.UserService$/m, [], ['list']),
      'list methods': () => says(/UserService\.GetUser/, [], ['list', 'shop.user.v1.UserService']),
      'describe a message': () => says(/string user_id = 1/, [], ['describe', 'shop.user.v1.GetUserRequest']),
      call: () => says(/"name": "Ada"/, ['-d', '{"userId":"u1"}'], ['shop.user.v1.UserService/GetUser']),
      health: () => says(/SERVING/, [], ['grpc.health.v1.Health/Check']),
    };
    try {
      return await Promise.all(
        Object.entries(cases).map(([name, each]) => resultOf(backend, found.version, name, each)),
      );
    } finally {
      await server.stop();
    }
  },
};
