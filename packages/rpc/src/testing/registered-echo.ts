// A server that registers itself, as a process of its own: node registered-echo.ts <registry port> <token> <id> <JSON of
// weight, zone, port and so on>. Prints its port. Ends on SIGTERM as a deployment would have it, and with its standard input.
import { remoteRegistry } from '@heddle/discovery/node';
import { App } from '@heddle/kernel';
import { nodeRuntime, runProcess } from '@heddle/kernel/node';
import { processReader } from '@heddle/telemetry/node';
import { EchoService } from '../gen/heddle/testing/v1/echo_pb.ts';
import { LoadReporter } from '../load/load-reporter.ts';
import { registration } from '../registration.ts';
import { rpcServer } from '../server/rpc-server.ts';
import { echoHandlers } from './echo-handlers.ts';

const [registryPort, token = '', id = 'echo', more = '{}'] = process.argv.slice(2);
const { port = 0, ...stated } = JSON.parse(more) as { port?: number; weight?: number; zone?: string };
const runtime = nodeRuntime({ name: id, logLevel: 'error' });
const registry = remoteRegistry({
  runtime,
  addresses: [{ host: '127.0.0.1', port: Number(registryPort) }],
  token,
  ttlMs: 2000,
});
const server = rpcServer({
  runtime,
  address: { host: '127.0.0.1', port },
  load: new LoadReporter({ runtime, read: processReader() }),
  reflection: true,
  routes: (router) => router.service(EchoService, echoHandlers(id)),
});
const instance = (): { service: string; id: string; address: string; port: number } => {
  return { ...stated, service: 'echo', id, address: '127.0.0.1', port: server.address.port };
};
const app = new App({
  name: id,
  runtime,
  parts: [{ name: 'registry', start: async () => {}, stop: () => registry.close() }, server],
  registrations: [registration({ runtime, registry, instance, health: server.health })],
  propagationMs: 200,
  drainMs: 5000,
});
process.stdin.resume().on('end', () => process.exit(1));
await runProcess(app, runtime.log);
process.stdout.write(`${server.address.port}\n`);
