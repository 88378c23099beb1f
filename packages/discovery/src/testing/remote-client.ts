import type { Runtime } from '@heddle/kernel';
import type { Registry } from '../registry/registry.ts';
import { remoteRegistry as withoutThread } from '../remote/remote-registry.ts';
import { remoteRegistry } from '../remote/node/remote-registry.ts';

/** A registry server on this machine. */
export interface RemoteClientOptions {
  readonly port: number;
  readonly token: string;
  readonly ttlMs: number;
  /** 0: without a lease thread. */
  readonly maxBlockedMs: number;
}

/** See `ClientModule`. */
export function openRegistry(runtime: Runtime, client: RemoteClientOptions): Registry {
  const { port, token, ttlMs, maxBlockedMs } = client;
  const options = { runtime, addresses: [{ host: '127.0.0.1', port }], token, ttlMs, timeoutMs: 2000 };
  return maxBlockedMs === 0 ? withoutThread(options) : remoteRegistry({ ...options, maxBlockedMs });
}
