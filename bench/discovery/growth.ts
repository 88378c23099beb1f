// What an instance costs the embedded registry when there are many: one server that is filled, step by step.
import { cpuMicros } from '../wire/process-cost.ts';
import { type Contender, residentMib } from './contender.ts';
import { allInstances, clientRuntime, crowd, registered } from './work.ts';

/** At one size. Times are of the processors, of client and server together: what others do at the moment is not in them. */
export interface Growth {
  readonly instances: number;
  /** Of each that came since the size before. */
  readonly registerMicros: number;
  /** Of each that is there, with what a server grows by when it is used at all. */
  readonly memoryKib: number;
  /** Of asking for a service with ten instances. */
  readonly resolveMicros: number;
}

const warmUp = 3000;
const resolutions = 4000;

/** `sizes` ascend; the first is taken in any case, another only if it begins by `endMs`. They count what came after the 3,000 that warm client and server up. */
export async function growth(
  embedded: Contender,
  sizes: readonly number[],
  endMs: number,
): Promise<Growth[]> {
  const server = await embedded.start();
  const runtime = clientRuntime();
  const usedMicros = (): number => ownMicros() + cpuMicros(server.pid);
  try {
    const registry = embedded.open(runtime, server.address);
    const before = residentMib(server.pid);
    const warming = allInstances(warmUp / 10).map((one) => ({ ...one, service: `warm-${one.service}` }));
    await crowd(warming, 60_000, (one) => registered(registry, one));
    const instances = allInstances((sizes.at(-1) ?? 0) / 10);
    const all: Growth[] = [];
    let there = 0;
    for (const size of sizes) {
      if (there > 0 && performance.now() > endMs) break;
      const startMicros = usedMicros();
      await crowd(instances.slice(there, size), 60_000, (one) => registered(registry, one));
      const registerMicros = (usedMicros() - startMicros) / (size - there);
      there = size;
      const memoryKib = ((residentMib(server.pid) - before) * 1024) / (warmUp + size);
      const asked = Array.from({ length: resolutions }, (_, at) => `service-${at % (size / 10)}`);
      const askedMicros = usedMicros();
      await crowd(asked, 60_000, async (service) => void (await registry.instances(service)));
      const resolveMicros = (usedMicros() - askedMicros) / resolutions;
      all.push({ instances: size, registerMicros, memoryKib, resolveMicros });
      process.stderr.write(`growth: ${size} instances\n`);
    }
    return all;
  } finally {
    runtime.die();
    await server.stop();
  }
}

function ownMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
