// What an adapter costs over its own client, used by hand for the same work on the same server in turns.
import type { InstanceInit } from '@heddle/discovery';
import { median } from '../measure.ts';
import type { Contender } from './contender.ts';
import { type RawClient, rawClients } from './raw-clients.ts';
import { clientRuntime, crowd, instanceOf, registered } from './work.ts';

/** Rates of both a second, and the adapter's beside the client's: the median over pairs of turns. */
export interface Beside {
  readonly adapter: number;
  readonly raw: number;
  readonly ratio: number;
}

/** How much of it. */
export interface RawPace {
  /** Pairs of turns that count. */
  readonly pairs: number;
  /** Services with ten instances each that are registered in a turn. */
  readonly services: number;
  readonly resolveMs: number;
}

const warmPairs = 2;
const registerLimitMs = 30_000;

/** At the contender's server; it must have a raw client. */
export async function besideRaw(
  contender: Contender,
  { pairs, services, resolveMs }: RawPace,
): Promise<{ readonly register: Beside; readonly resolve: Beside }> {
  const open = rawClients[contender.name];
  if (open === undefined) throw new Error(`${contender.name} has no raw client here`);
  const server = await contender.start();
  const runtime = clientRuntime();
  const raw = open(runtime, server.address);
  const registry = contender.open(runtime, server.address);
  const adapter: Pick<RawClient, 'register' | 'resolve'> = {
    register: (init) => registered(registry, init),
    resolve: async (service) => (await registry.instances(service)).instances.map(({ address }) => address),
  };
  try {
    const register = await inPairs(
      pairs,
      (pair) => registerTurn(adapter, instancesOf(`adapter-${pair}`, services)),
      (pair) => registerTurn(raw, instancesOf(`raw-${pair}`, services)),
    );
    // Both read what the adapter has registered.
    const names = [...new Set(instancesOf('adapter-0', services).map(({ service }) => service))];
    const resolve = await inPairs(
      pairs,
      () => resolveTurn(adapter, names, resolveMs),
      () => resolveTurn(raw, names, resolveMs),
    );
    return { register, resolve };
  } finally {
    runtime.die();
    raw.close();
    await server.stop();
  }
}

/** The order turns pair by pair, so that a noisy neighbour hurts both alike. */
async function inPairs(
  pairs: number,
  adapterTurn: (pair: number) => Promise<number>,
  rawTurn: (pair: number) => Promise<number>,
): Promise<Beside> {
  const both: { readonly adapter: number; readonly raw: number }[] = [];
  for (let pair = 0; pair < warmPairs + pairs; pair++) {
    if (pair % 2 === 0) {
      const adapter = await adapterTurn(pair);
      both.push({ adapter, raw: await rawTurn(pair) });
    } else {
      const raw = await rawTurn(pair);
      both.push({ adapter: await adapterTurn(pair), raw });
    }
  }
  const counted = both.slice(warmPairs);
  return {
    adapter: median(counted.map(({ adapter }) => adapter)),
    raw: median(counted.map(({ raw }) => raw)),
    ratio: median(counted.map(({ adapter, raw }) => adapter / raw)),
  };
}

async function registerTurn(
  client: Pick<RawClient, 'register'>,
  instances: readonly InstanceInit[],
): Promise<number> {
  const { done, tookMs } = await crowd(instances, registerLimitMs, (one) => client.register(one));
  return (done * 1000) / tookMs;
}

async function resolveTurn(
  client: Pick<RawClient, 'resolve'>,
  names: readonly string[],
  limitMs: number,
): Promise<number> {
  const endless = Array.from({ length: 100_000 }, (_, at) => names[at % names.length] as string);
  const { done, tookMs } = await crowd(endless, limitMs, async (service) => {
    const { length } = await client.resolve(service);
    if (length !== 10) throw new Error(`${service}: ${length} of 10 instances are there`);
  });
  return (done * 1000) / tookMs;
}

function instancesOf(prefix: string, services: number): InstanceInit[] {
  return Array.from({ length: services * 10 }, (_, at) => {
    const service = Math.floor(at / 10);
    return { ...instanceOf(service, at % 10), service: `${prefix}-${service}` };
  });
}
