import { HeddleError, perform, Call } from '@heddle/kernel';
import type { Instance } from '@heddle/discovery';
import { nodeRuntime } from '@heddle/kernel/node';
import { endpoint, Fields, wholeBody } from '@heddle/wire';
import { type Command, usageError } from '../command.ts';
import { readUpState } from '../node/data-folder.ts';
import { controlPlaneRegistry, readAddress, readPlanePlace } from '../registry-access.ts';

/** What each word switches, as the shop's admin endpoint takes it. */
const faults: Readonly<Record<string, object>> = {
  slow: { delay: { percent: 100, ms: 800 } },
  fail: { error: { percent: 50, code: 'unavailable' } },
  off: {},
};

/** `heddle shop fault`. */
export const shop: Command = {
  name: 'shop',
  summary: 'Make a service of the running demo shop slow or failing, or kill one of its instances',
  words: 'fault <service> slow|fail|kill|off',
  options: {
    data: {
      type: 'string',
      value: 'DIR',
      help: 'The data folder of the running "heddle up"; default .heddle',
    },
  },
  examples: [
    'heddle shop fault payment slow',
    'heddle shop fault order kill',
    'heddle shop fault payment off',
  ],
  run: async (given, world) => {
    const [verb, service, fault = '', ...rest] = given.words;
    if (
      verb !== 'fault' ||
      service === undefined ||
      rest.length > 0 ||
      !(fault === 'kill' || fault in faults)
    ) {
      throw usageError('"heddle shop" needs: fault <service> slow|fail|kill|off');
    }
    const state = readUpState(given.text('data') ?? '.heddle');
    const runtime = nodeRuntime({ name: 'shop', logLevel: 'error' });
    const registry = controlPlaneRegistry(readPlanePlace(state.console, '--data'), runtime, state.token);
    try {
      const { instances } = await registry.instances(service);
      const able = instances.filter(({ metadata }) => metadata['admin'] !== undefined);
      if (able.length === 0) throw noInstances(service);
      const chosen = fault === 'kill' ? able.slice(0, 1) : able;
      for (const instance of chosen) {
        await tell(instance, fault, state.adminToken, runtime);
        world.terminal.out(`${instance.id}: ${fault}\n`);
      }
      return 0;
    } finally {
      await registry.close();
    }
  },
};

async function tell(
  instance: Instance,
  fault: string,
  token: string,
  runtime: ReturnType<typeof nodeRuntime>,
): Promise<void> {
  const admin = instance.metadata['admin'] ?? '';
  const way = endpoint({ runtime, address: readAddress(admin, 'the admin address'), protocol: 'http1' });
  const kill = fault === 'kill';
  const content = kill ? new Uint8Array(0) : new TextEncoder().encode(JSON.stringify(faults[fault]));
  const fields = Fields.of({ authorization: `Bearer ${token}`, 'content-type': 'application/json' });
  const base = { scheme: 'http', authority: admin, fields, body: wholeBody(content) } as const;
  const request = { ...base, method: kill ? 'POST' : 'PUT', path: kill ? '/kill' : '/faults' };
  try {
    const answer = await perform(way.request, request, Call.root(runtime));
    const text = new TextDecoder().decode(await answer.body.bytes(65_536));
    if (answer.status < 300) return;
    const message = `${instance.id} answered ${answer.status}: ${text}`;
    throw new HeddleError({ code: 'failed_precondition', reason: 'FAULT_REFUSED', message });
  } finally {
    way.close();
  }
}

function noInstances(service: string): HeddleError {
  const message = `the shop has no running instance of "${service}"; "heddle ls services" shows what there is`;
  return new HeddleError({ code: 'not_found', reason: 'NO_INSTANCES', message, sent: false });
}
