// A process that registers itself, for tests that block, stop or kill it: node registered-process.ts <port> <token>
// <ttlMs> <maxBlockedMs> <blockMs>. Prints `registered`; after a line on its standard input it blocks its main thread
// for `blockMs`, and prints whether it holds itself for registered then, and how often that changed. A `maxBlockedMs`
// of 0 asks for no lease thread.
import { once } from 'node:events';
import { nodeRuntime } from '@heddle/kernel/node';
import { remoteRegistry as withoutThread } from '../remote/remote-registry.ts';
import { remoteRegistry } from '../remote/node/remote-registry.ts';

const [port, token = '', ttlMs, maxBlockedMs, blockMs] = process.argv.slice(2);
const runtime = nodeRuntime({ name: 'registered', logLevel: 'error' });
const addresses = [{ host: '127.0.0.1', port: Number(port) }];
const options = { runtime, addresses, token, ttlMs: Number(ttlMs), timeoutMs: 2000 };
const registry =
  maxBlockedMs === '0'
    ? withoutThread(options)
    : remoteRegistry({ ...options, maxBlockedMs: Number(maxBlockedMs) });
const held = await registry.register({ id: 'x', service: 'users', address: '127.0.0.1', port: 1 });
let changes = 0;
held.subscribe(() => {
  changes += 1;
});
process.stdin.on('end', () => process.exit(1));
process.stdout.write(held.registered ? 'registered\n' : `${held.problem?.message}\n`);
await once(process.stdin, 'data');
const endMs = runtime.clock.nowMs() + Number(blockMs);
while (runtime.clock.nowMs() < endMs);
process.stdout.write(`${held.registered} ${changes}\n`);
