import { nodeRuntime } from '@heddle/kernel/node';
import type { Command } from '../command.ts';
import { untilToldToStop } from '../hold.ts';
import { chosenRegistry } from '../registry-access.ts';
import { namedInstance } from './deregister.ts';
import { report } from './register.ts';
import { drainUsage } from './drain.usage.ts';

/** `heddle drain`. */
export const drain: Command = {
  ...drainUsage,
  run: async (given, world) => {
    const runtime = nodeRuntime({ name: 'drain', logLevel: 'error' });
    const { registry, name } = await chosenRegistry(given, runtime);
    try {
      const found = await namedInstance(given, registry, name);
      // Whoever registers last has the entry: the process itself is told, and steps in again when we let go.
      const held = await registry.register({ ...found, state: 'draining' });
      if (held.registered) world.terminal.out(`draining: ${found.id} at ${name}\n`);
      else report(held, name, world);
      const stopReporting = held.subscribe(() => report(held, name, world));
      await untilToldToStop(given, world, runtime);
      stopReporting();
      await registry.deregister(found.service, found.id);
      world.terminal.out(`no longer draining: ${found.id}\n`);
      return 0;
    } finally {
      await registry.close();
    }
  },
};
