import { App } from '@heddle/kernel';
import { nodeRuntime, runProcess } from '@heddle/kernel/node';
import { EchoService } from '../gen/heddle/testing/v1/echo_pb.ts';
import { rpcServer } from '../server/rpc-server.ts';
import { echoHandlers } from './echo-handlers.ts';

// A server in a process of its own, for the tests that kill it. Prints its port.
const [name = 'echo'] = process.argv.slice(2);
const runtime = nodeRuntime({ name });
const server = rpcServer({ runtime, routes: (router) => router.service(EchoService, echoHandlers(name)) });
await runProcess(new App({ name, runtime, parts: [server] }), runtime.log);
process.stdout.write(`${server.address.port}\n`);
