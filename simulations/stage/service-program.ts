import { type Registry, remoteRegistry } from '@heddle/discovery';
import { App, type Runtime, sleep } from '@heddle/kernel';
import { httpServer, registration } from '@heddle/rpc';
import { Fields, type HttpService, wholeBody } from '@heddle/wire';
import type { Ledger } from './ledger.ts';
import { registryAddress } from './registry-program.ts';

/** What a service's program is told. */
export interface ServiceProgramOptions {
  readonly service: string;
  /** The name of its host, and its id. */
  readonly host: string;
  readonly ttlMs: number;
  readonly ledger: Ledger;
  /** For planting a bug: what is used in place of the registry. */
  readonly disguise?: (registry: Registry) => Registry;
}

const port = 8080;
const longestWorkMs = 20;

/** One instance of a service: serves, registers itself, keeps its lease. Resolves with what stops it. */
export async function runService(
  runtime: Runtime,
  options: ServiceProgramOptions,
): Promise<() => Promise<void>> {
  const { service, host, ttlMs, ledger, disguise = (registry) => registry } = options;
  const registry = disguise(remoteRegistry({ runtime, addresses: [registryAddress], ttlMs }));
  const server = httpServer(handler(runtime, host, ledger), { runtime, address: { host: '0.0.0.0', port } });
  const instance = { service, id: host, address: host, port, protocol: 'http' as const };
  const app = new App({
    name: host,
    runtime,
    parts: [server],
    registrations: [registration({ runtime, registry, instance: () => instance })],
  });
  await app.start();
  return async () => {
    await app.stop();
    await registry.close();
  };
}

/** Carries out the call that the path names, and says so in the ledger before it takes its time. */
function handler(runtime: Runtime, host: string, ledger: Ledger): HttpService {
  return async (request, call) => {
    ledger.executed(request.path.slice(1));
    await sleep(runtime.timers, runtime.random.float() * longestWorkMs, call);
    const text = `${host} did ${request.path}`;
    return { status: 200, fields: new Fields(), body: wholeBody(new TextEncoder().encode(text)) };
  };
}
