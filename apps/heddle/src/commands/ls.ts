import type { Instance } from '@heddle/discovery';
import { hostPort } from '@heddle/discovery';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Command, usageError } from '../command.ts';
import { chosenRegistry, registryOptions } from '../registry-access.ts';
import { table } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** `heddle ls`. */
export const ls: Command = {
  name: 'ls',
  summary: 'List what is registered',
  words: 'services|instances [service]',
  options: {
    json: { type: 'boolean', help: 'As JSON' },
    ...registryOptions,
  },
  examples: [
    'heddle ls services',
    'heddle ls instances order',
    'heddle ls instances order --registry consul://127.0.0.1:8500 --json',
  ],
  run: async (given, world) => {
    const [what, only, ...rest] = given.words;
    if ((what !== 'services' && what !== 'instances') || rest.length > 0) {
      throw usageError('"heddle ls" needs "services" or "instances", and takes one service after the latter');
    }
    const runtime = nodeRuntime({ name: 'ls', logLevel: 'error' });
    const { registry } = await chosenRegistry(given, runtime);
    try {
      const names = only === undefined ? await registry.services() : [only];
      const snapshots = await Promise.all(names.map((name) => registry.instances(name)));
      const instances = snapshots.flatMap((snapshot) => snapshot.instances);
      const rows = what === 'services' ? serviceRows(names, instances) : instanceRows(instances);
      world.terminal.out(
        given.flag('json') ? `${JSON.stringify(rows, undefined, 2)}\n` : shown(rows, world.terminal),
      );
      return 0;
    } finally {
      await registry.close();
    }
  },
};

// The last goes first where a terminal is narrow; --json has everything.
const droppable = ['health', 'state', 'zone', 'version', 'weight', 'protocol'];

function shown(rows: readonly Record<string, string | number>[], terminal: Terminal): string {
  return terminal.interactive ? table(rows, terminal.width, droppable) : table(rows);
}

function serviceRows(names: readonly string[], all: readonly Instance[]): Record<string, string | number>[] {
  return names.map((service) => {
    const own = all.filter((instance) => instance.service === service);
    const running = own.filter(({ state }) => state === 'running').length;
    return {
      service,
      instances: own.length,
      running,
      versions: [...new Set(own.map((i) => i.version))].join(' '),
    };
  });
}

function instanceRows(all: readonly Instance[]): Record<string, string | number>[] {
  return all.map((instance) => {
    const { service, id, state, health, zone, version, weight, protocol } = instance;
    return { service, id, address: hostPort(instance), state, health, zone, version, weight, protocol };
  });
}
