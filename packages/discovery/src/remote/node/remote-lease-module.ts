import type { Address, Runtime } from '@heddle/kernel';
import type { EndpointTls } from '@heddle/wire';
import type { LeaseClient } from '../../registry/lease-client.ts';
import { overHttp2 } from '../over-http2.ts';
import { RegistryServers } from '../registry-servers.ts';
import { remoteLeases } from '../remote-leases.ts';

/** The servers of a registry, as for `remoteRegistry`, cloned into a lease thread. */
export interface RemoteLeaseOptions {
  readonly addresses: readonly Address[];
  readonly token: string | undefined;
  readonly tls: EndpointTls | undefined;
  readonly timeoutMs: number;
}

/** See `LeaseModule`. */
export function openLeases(runtime: Runtime, options: RemoteLeaseOptions): Pick<LeaseClient, 'renew'> {
  const { tls, ...others } = options;
  const scheme = tls === undefined ? 'http' : 'https';
  return remoteLeases(new RegistryServers({ runtime, ...others, scheme, reach: overHttp2(runtime, tls) }));
}
