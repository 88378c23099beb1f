import { type Address, HeddleError, type Runtime, type TlsConnectOptions } from '@heddle/kernel';
import type { LeaseClient } from '../../../registry/lease-client.ts';
import { leaseLost } from '../../../registry/lease-error.ts';
import { ZooKeeperConnection } from '../client/connection.ts';
import { SharedSession } from './shared-session.ts';

/** The servers of an ensemble and the session of a main thread, cloned into a lease thread. */
export interface ZooKeeperLeaseOptions {
  readonly addresses: readonly Address[];
  readonly tls: TlsConnectOptions | undefined;
  readonly session: SharedArrayBuffer;
}

/**
 * Renews by going on with the main thread's session on a connection of its own, which ends the main thread's
 * connection. When that wakes it takes its session back in the same way. See `LeaseModule`.
 */
export function openLeases(runtime: Runtime, options: ZooKeeperLeaseOptions): Pick<LeaseClient, 'renew'> {
  const shared = new SharedSession(options.session);
  let at = 0;
  let connection: ZooKeeperConnection | undefined;
  const open = async (): Promise<ZooKeeperConnection> => {
    const session = shared.read();
    if (session === undefined) throw noSession();
    if (connection?.isOpen === true && connection.session.id === session.id) return connection;
    connection?.destroy();
    const address = options.addresses[at++ % options.addresses.length] as Address;
    const { timeoutMs } = session;
    connection = await ZooKeeperConnection.open({
      runtime,
      address,
      tls: options.tls,
      credentials: undefined,
      timeoutMs,
      session,
      lastZxid: 0n,
      onNotification: () => {},
      onClose: () => {},
    });
    return connection;
  };
  let opening: Promise<ZooKeeperConnection> | undefined;
  return {
    renew: async (service, id) => {
      // All leases of a thread are of one session, so one connection is enough for those that come at once.
      opening ??= open().finally(() => {
        opening = undefined;
      });
      try {
        await (await opening).ping();
      } catch (thrown) {
        const error = HeddleError.from(thrown);
        throw error.reason === 'SESSION_EXPIRED' ? leaseLost(service, id) : error;
      }
    },
  };
}

function noSession(): HeddleError {
  const message = 'the main thread has no session with ZooKeeper at this moment';
  return new HeddleError({ code: 'unavailable', reason: 'NO_SESSION', message, sent: false });
}
