// The same echo with all that an RPC server of ours has around it: messages decoded, the default stack, health.
import {
  create,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
} from '@bufbuild/protobuf';
import { nodeRuntime } from '@heddle/kernel/node';
import { type RpcHandlers, rpcServer } from '@heddle/rpc';
import { announce } from './announce.ts';
import { payload, unary } from './connect-echo.ts';

interface Echo extends DescService {
  readonly method: { readonly unary: DescMethodUnary; readonly serverStream: DescMethodServerStreaming };
}

const handlers: RpcHandlers<Echo> = {
  unary: (request) => request,
  async *serverStream(request) {
    const { count, size } = request as unknown as { count: number; size: number };
    const message = create(payload, { body: new Uint8Array(size - 3) });
    for (let i = 0; i < count; i++) yield message;
  },
};

const runtime = nodeRuntime({ name: 'bench' });
const server = rpcServer({
  runtime,
  routes: (router) => router.service(unary.parent as Echo, handlers),
});
await server.start?.();
announce(server.address.port);
