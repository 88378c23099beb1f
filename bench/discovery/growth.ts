// What an instance costs the embedded registry when there are many.
import { type Contender, residentMib } from './contender.ts';
import { allInstances, clientRuntime, crowd, registered } from './work.ts';

/** At one size. */
export interface Growth {
  readonly instances: number;
  readonly registerMicros: number;
  readonly memoryKib: number;
  readonly resolveMicros: number;
}

/** On a fresh server for each size. */
export async function growth(embedded: Contender, sizes: readonly number[]): Promise<Growth[]> {
  const all: Growth[] = [];
  for (const size of sizes) all.push(await at(embedded, size));
  return all;
}

async function at(embedded: Contender, size: number): Promise<Growth> {
  const server = await embedded.start();
  const runtime = clientRuntime();
  try {
    const registry = embedded.open(runtime, server.address);
    const before = residentMib(server.pid);
    const instances = allInstances(size / 10);
    const register = await crowd(instances, 600_000, (one) => registered(registry, one));
    const memoryMib = residentMib(server.pid) - before;
    const resolve = await crowd(instances.slice(0, 2000), 60_000, async ({ service }) => {
      await registry.instances(service);
    });
    return {
      instances: size,
      registerMicros: (register.tookMs * 1000) / register.done,
      memoryKib: (memoryMib * 1024) / size,
      resolveMicros: (resolve.tookMs * 1000) / resolve.done,
    };
  } finally {
    runtime.die();
    await server.stop();
  }
}
