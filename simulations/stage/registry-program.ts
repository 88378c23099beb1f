import { embeddedRegistry, registryService, type EmbeddedRegistry } from '@heddle/discovery/embedded';
import { App, type Runtime } from '@heddle/kernel';
import { httpServer } from '@heddle/rpc';

/** Where the registry of every scenario is. */
export const registryAddress = { host: 'registry', port: 7400 };

/** A registry server. `opened` sees it before anybody can reach it. Resolves with what stops it. */
export async function runRegistry(
  runtime: Runtime,
  ttlMs: number,
  opened: (registry: EmbeddedRegistry) => Promise<void> = async () => {},
): Promise<() => Promise<void>> {
  const registry = await embeddedRegistry(runtime, { ttlMs });
  await opened(registry);
  const address = { host: '0.0.0.0', port: registryAddress.port };
  const server = httpServer(registryService(registry), { runtime, address });
  const app = new App({ name: 'registry', runtime, parts: [server] });
  await app.start();
  return async () => {
    await registry.close();
    await app.stop();
  };
}
