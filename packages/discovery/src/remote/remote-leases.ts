import type { Health } from '../registry/instance.ts';
import type { LeaseClient } from '../registry/lease-client.ts';
import type { LeasedInstance } from '../registry/lease-table.ts';
import { instancesPath, type PutBody, type RenewBody } from './protocol.ts';
import type { RegistryServers } from './registry-servers.ts';

/** With what `KeptRegistration.release` waits for before, below the 5 s that an app has for deregistering. */
const removeTimeoutMs = 2000;

/** Leases at a registry server. */
export function remoteLeases(servers: RegistryServers): LeaseClient {
  return {
    put: async (leased: LeasedInstance, fresh: boolean): Promise<void> => {
      const { service, id } = leased.instance;
      const json: PutBody = { ...leased, fresh };
      await servers.ask({ method: 'PUT', path: instancesPath(service, id), json });
    },
    renew: async (service: string, id: string, lease: string, health: Health | undefined): Promise<void> => {
      const json: RenewBody = health === undefined ? { lease } : { lease, health };
      await servers.ask({ method: 'POST', path: `${instancesPath(service, id)}/renew`, json });
    },
    remove: async (service: string, id: string, lease: string): Promise<void> => {
      const path = `${instancesPath(service, id)}?lease=${encodeURIComponent(lease)}`;
      await servers.ask({ method: 'DELETE', path, timeoutMs: removeTimeoutMs });
    },
  };
}
