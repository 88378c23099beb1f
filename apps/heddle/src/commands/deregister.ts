import type { Instance, Registry } from '@heddle/discovery';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Command, type Given, usageError } from '../command.ts';
import { chosenRegistry } from '../registry-access.ts';
import { noSuchInstance } from './register.ts';
import { deregisterUsage } from './deregister.usage.ts';

/** `heddle deregister`. */
export const deregister: Command = {
  ...deregisterUsage,
  run: async (given, world) => {
    const runtime = nodeRuntime({ name: 'deregister', logLevel: 'error' });
    const { registry, name } = await chosenRegistry(given, runtime);
    try {
      const found = await namedInstance(given, registry, name);
      const { service, id } = found;
      // Whoever registers last has the entry, and may take it away.
      const held = await registry.register(found);
      if (held.problem !== undefined) throw held.problem;
      await registry.deregister(service, id);
      world.terminal.out(`deregistered: ${id} at ${name}\n`);
      return 0;
    } finally {
      await registry.close();
    }
  },
};

/** The instance that the words name. Rejects with `not_found` / `NO_SUCH_INSTANCE`. */
export async function namedInstance(given: Given, registry: Registry, name: string): Promise<Instance> {
  const [service, id, ...rest] = given.words;
  if (service === undefined || id === undefined || rest.length > 0)
    throw usageError('expected a service and the id of an instance');
  const { instances } = await registry.instances(service);
  const found = instances.find((each) => each.id === id);
  if (found === undefined) throw noSuchInstance(service, id, name);
  return found;
}
