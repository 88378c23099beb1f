import { lockFolder } from '@heddle/discovery/node';
import type { Registry } from '@heddle/discovery';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Command, type Given, usageError } from '../command.ts';
import { alertConfig } from '../control-plane/alerts.ts';
import { passwordSet } from '../control-plane/auth-first-user.ts';
import { openControlPlane } from '../control-plane/control-plane.ts';
import { readTextFile } from '../node/config-file.ts';
import { loadSchemas } from '../node/config-schemas.ts';
import { runServer } from '../node/run-server.ts';
import { registryAt } from '../registry-access.ts';
import { isSupervised } from '../node/tell-parent.ts';
import { scopeOf } from './mesh/scope-options.ts';
import { controlPlaneUsage } from './control-plane.usage.ts';

/** `heddle control-plane`. */
export const controlPlane: Command = {
  ...controlPlaneUsage,
  run: async (given, world) => {
    const dataFolder = given.text('data') ?? '.heddle/control-plane';
    const runtime = nodeRuntime({ name: 'control-plane', dataFolder });
    const { env } = process;
    const options = {
      runtime,
      dataFolder,
      env,
      token: requireToken(),
      adminToken: env['HEDDLE_ADMIN_TOKEN'],
      address: { host: given.text('host') ?? '127.0.0.1', port: given.port('port', 8090) },
      alerts: alertConfig(given.text('alerts')),
      logStore: logStoreOf(given),
      configStore: given.text('config-store') ?? env['HEDDLE_CONFIG_STORE'],
      schemas: await loadSchemas(given.text('config-schemas')),
      password: passwordSet(env, (file) => readTextFile(file, 'password')),
      mesh: given.text('mesh'),
      meshRegistry: await meshRegistryOf(given, runtime),
      scope: scopeOf(given),
    };
    await lockFolder(dataFolder);
    const { parts, place, madePassword } = await openControlPlane(options);
    const facts = (): Record<string, string> => {
      const { host, port } = place();
      const address = `${host}:${port}`;
      return {
        address,
        url: `http://${address}`,
        ...(madePassword !== undefined && { password: madePassword }),
      };
    };
    if (madePassword !== undefined && !isSupervised())
      world.terminal.err(`sign in to the console as admin with ${madePassword} (shown this once)\n`);
    return runServer(
      { name: 'control-plane', runtime, parts, propagationMs: 0 },
      world,
      facts,
      ({ password: _, ...logged }) => logged,
    );
  },
};

async function meshRegistryOf(given: Given, runtime: Runtime): Promise<Registry | undefined> {
  const url = given.text('mesh-registry');
  return url === undefined ? undefined : registryAt(url, runtime);
}

/** A secret comes by the environment, where no process list shows it. */
function logStoreOf(given: Given): { url: string; authorization: string | undefined } | undefined {
  const url = given.text('log-store');
  if (url === undefined) return undefined;
  if (!/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/.test(url))
    throw usageError(
      `--log-store expects a URL such as http://127.0.0.1:9200, without a password, found "${url}"`,
    );
  return { url, authorization: process.env['HEDDLE_LOG_STORE_AUTHORIZATION'] };
}

function requireToken(): string {
  const token = process.env['HEDDLE_REGISTRY_TOKEN'] ?? '';
  if (/^[\x21-\x7e]{16,256}$/.test(token)) return token;
  const message =
    'HEDDLE_REGISTRY_TOKEN is not set to 16 to 256 visible characters. It is the secret that every program needs to ' +
    'use the registry, and has no default; make one with: openssl rand -hex 32';
  throw new HeddleError({ code: 'failed_precondition', reason: 'NO_TOKEN', message });
}
