// A server whose every call keeps the processor busy for two milliseconds; `shed` as argument turns load shedding on.
import { nodeRuntime } from '@heddle/kernel/node';
import { rpcServer } from '@heddle/rpc';
import { announce } from '../../wire/subjects/announce.ts';
import { service } from '../../wire/subjects/connect-echo.ts';

const workMs = 2;
const runtime = nodeRuntime({ name: 'busy', logLevel: 'error' });
const server = rpcServer({
  runtime,
  ...(process.argv[2] === 'shed' && { shed: {} }),
  routes: (router) =>
    router.service(service, {
      // The contract is made at run time, so that there are no types for it.
      unary: ((message: object) => {
        for (const endMs = performance.now() + workMs; performance.now() < endMs; );
        return message;
      }) as never,
    }),
});
await server.start();
announce(server.address.port);
