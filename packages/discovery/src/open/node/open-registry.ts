import { readFile } from 'node:fs/promises';
import { HeddleError, type Runtime } from '@heddle/kernel';
import type { Registry } from '../../registry/registry.ts';
import { openRegistryUrl } from '../open-registry.ts';

/** How a registry is opened in a real process. */
export interface OpenOptions {
  readonly runtime: Runtime;
  /** The token or password. Default: the variable `HEDDLE_REGISTRY_SECRET`, then `HEDDLE_REGISTRY_TOKEN`. */
  readonly secret?: string;
}

/**
 * The registry that a URL (or the `discovery` of a service's configuration) names: `embedded://host:8090`,
 * `consul://host:8500`, `etcd+tls://a:2379,b:2379/prefix?ca-file=ca.pem`, `k8s:`, `dns://host:53?…` …
 * Asks no server until it is used. Rejects with `invalid_argument` / `BAD_REGISTRY_URL` and what is wrong.
 */
export function openRegistry(url: string, options: OpenOptions): Promise<Registry> {
  const variable = (name: string): string | undefined => process.env[name];
  const secret = options.secret ?? variable('HEDDLE_REGISTRY_SECRET') ?? variable('HEDDLE_REGISTRY_TOKEN');
  return openRegistryUrl(url, { runtime: options.runtime, secret, readText, variable });
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const message = `the file "${path}" cannot be read: ${why}`;
    throw new HeddleError({
      code: 'failed_precondition',
      reason: 'FILE_UNREADABLE',
      message,
      cause: thrown,
      sent: false,
    });
  }
}
