import type { Instance } from '@heddle/discovery';
import { hostPort } from '@heddle/discovery';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import type { ProxyView } from '@heddle/mesh/xds';
import { type Command, type Given, usageError, type World } from '../command.ts';
import { PlaneClient } from '../observe/plane-client.ts';
import { chosenRegistry } from '../registry-access.ts';
import { table } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { proxyRows } from './mesh/proxy-rows.ts';
import { lsUsage } from './ls.usage.ts';

/** `heddle ls`. */
export const ls: Command = {
  ...lsUsage,
  run: async (given, world) => {
    const [what, only, ...rest] = given.words;
    const isProxies = what === 'proxies' && only === undefined;
    if ((!isProxies && what !== 'services' && what !== 'instances') || rest.length > 0) {
      throw usageError(
        '"heddle ls" needs "services", "instances" or "proxies", and takes one service after "instances"',
      );
    }
    const runtime = nodeRuntime({ name: 'ls', logLevel: 'error' });
    if (isProxies) return listProxies(given, world, runtime);
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

async function listProxies(given: Given, { terminal }: World, runtime: Runtime): Promise<number> {
  const plane = new PlaneClient(given, runtime);
  try {
    const view = await plane.get<{ readonly proxies: readonly ProxyView[] }>('/v1/mesh');
    if (view === undefined) throw noMesh();
    const { proxies } = view;
    terminal.out(
      given.flag('json') ? `${JSON.stringify(proxies, undefined, 2)}\n` : shown(proxyRows(proxies), terminal),
    );
    return 0;
  } finally {
    plane.close();
  }
}

function noMesh(): HeddleError {
  const message =
    'the control plane serves no mesh: start it with --mesh and the rules, as in heddle control-plane --mesh deploy/mesh';
  return new HeddleError({ code: 'failed_precondition', reason: 'NO_MESH', message, sent: false });
}

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
