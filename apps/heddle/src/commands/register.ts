import type { DesiredRegistration, InstanceInit } from '@heddle/discovery';
import { HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Command, type Given, usageError, type World } from '../command.ts';
import { untilToldToStop } from '../hold.ts';
import { chosenRegistry, readAddress } from '../registry-access.ts';
import { registerUsage } from './register.usage.ts';

/** `heddle register`. */
export const register: Command = {
  ...registerUsage,
  run: async (given, world) => {
    const init = readInit(given);
    const runtime = nodeRuntime({ name: 'register', logLevel: 'error' });
    const { registry, name } = await chosenRegistry(given, runtime);
    try {
      const held = await registry.register(init);
      report(held, name, world);
      const stopReporting = held.subscribe(() => report(held, name, world));
      await untilToldToStop(given, world, runtime);
      stopReporting();
      await registry.deregister(held.instance.service, held.instance.id);
      world.terminal.out(`taken back: ${held.instance.id}\n`);
      return 0;
    } finally {
      await registry.close();
    }
  },
};

/** Says how it stands, at the beginning and whenever that changes. */
export function report(held: DesiredRegistration, name: string, { terminal }: World): void {
  const { instance, registered, problem } = held;
  if (registered) terminal.out(`registered: ${instance.id} at ${name}\n`);
  else terminal.err(`not registered, still trying: ${problem?.message ?? 'the lease has lapsed'}\n`);
}

function readInit(given: Given): InstanceInit {
  const [service, place, ...rest] = given.words;
  if (service === undefined || place === undefined || rest.length > 0)
    throw usageError('"heddle register" needs a service and host:port');
  const { host, port } = readAddress(place, 'the address');
  const text = (name: string): Record<string, string> => {
    const value = given.text(name);
    return value === undefined ? {} : { [name]: value };
  };
  const weight = given.text('weight');
  const init = {
    service,
    address: host,
    port,
    ...text('id'),
    ...text('version'),
    ...text('zone'),
    ...text('region'),
    ...text('protocol'),
    ...(weight !== undefined && { weight: /^\d+$/.test(weight) ? Number(weight) : weight }),
    tags: given.text('tags')?.split(',') ?? [],
    metadata: readMetadata(given.text('metadata')),
  };
  // What is wrong with it the registry says, field by field.
  return init as InstanceInit;
}

function readMetadata(text: string | undefined): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const pair of text?.split(',') ?? []) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw usageError(`--metadata expects key=value, found "${pair}"`);
    metadata[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  return metadata;
}

/** `not_found` / `NO_SUCH_INSTANCE`. */
export function noSuchInstance(service: string, id: string, name: string): HeddleError {
  const message = `${name} knows no instance "${id}" of "${service}"; "heddle ls instances ${service}" lists those that it knows`;
  return new HeddleError({ code: 'not_found', reason: 'NO_SUCH_INSTANCE', message });
}
