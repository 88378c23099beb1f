// A process that registers itself, for tests that block, stop or kill it: node registered-process.ts <module> <options>
// <blockMs>. The module exports a `ClientModule`; the options are its own, as JSON. Prints `registered`; after a line on
// its standard input it blocks its main thread for `blockMs`, and prints whether it holds itself for registered then,
// and how often that changed.
import { once } from 'node:events';
import type { Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import type { Registry } from '../registry/registry.ts';

/** What a module exports so that a process can register itself at its backend. */
export interface ClientModule {
  readonly openRegistry: (runtime: Runtime, options: unknown) => Registry;
}

const [module = '', options = '{}', blockMs] = process.argv.slice(2);
const runtime = nodeRuntime({ name: 'registered', logLevel: 'error' });
const backend = (await import(module)) as ClientModule;
const registry = backend.openRegistry(runtime, JSON.parse(options));
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
