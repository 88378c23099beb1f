// A registry server as a process of its own, for tests that kill it: node registry-process.ts <folder> <port> <ttlMs> <token>.
// Prints its port when it serves. Ends on SIGTERM, cleanly, and when its standard input ends (its test is gone).
import { nodeRuntime } from '@heddle/kernel/node';
import { serve } from '@heddle/wire';
import { embeddedRegistry } from '../embedded/embedded-registry.ts';
import { registryService } from '../embedded/registry-service.ts';

const [dataFolder = '', port = '0', ttlMs = '1000', token = ''] = process.argv.slice(2);
const runtime = nodeRuntime({ name: 'registry', dataFolder, logLevel: 'error' });
const registry = await embeddedRegistry(runtime, { ttlMs: Number(ttlMs) });
const server = await serve(registryService(registry, { token }), {
  runtime,
  address: { host: '127.0.0.1', port: Number(port) },
});
process.stdout.write(`${server.address.port}\n`);
process.stdin.resume().on('end', () => process.exit(1));
process.on('SIGTERM', () => {
  void registry
    .close()
    .then(() => server.stop())
    .then(() => process.exit(0));
});
