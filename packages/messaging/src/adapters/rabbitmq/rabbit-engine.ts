import { HeddleError, type Runtime } from '@heddle/kernel';
import type { Engine, EnginePromises } from '../../engine.ts';
import { leasedEngine } from '../../log/leased-engine.ts';
import type { LeaseTimes } from '../../log/leased-membership.ts';
import { maxPayloadBytes } from '../../message/complete-message.ts';
import { RabbitConnection, type RabbitPlace } from './rabbit-connection.ts';
import { RabbitDelays } from './rabbit-delays.ts';
import { rabbitError } from './rabbit-error.ts';
import { RabbitLocks } from './rabbit-locks.ts';
import { RabbitLog } from './rabbit-log.ts';
import { Names } from './rabbit-names.ts';
import { RabbitPositions } from './rabbit-positions.ts';
import { RabbitRegistry } from './rabbit-registry.ts';
import { RabbitStreams } from './rabbit-streams.ts';

/** What the engine is made from. */
export interface RabbitEngineOptions extends LeaseTimes {
  readonly runtime: Runtime;
  readonly rabbitmq: RabbitPlace;
  /** What names of queues begin with: letters, digits and `-`. Default `heddle`. */
  readonly prefix?: string;
}

/**
 * Topics in the streams of RabbitMQ 3.10 or newer, over AMQP 0-9-1, without plugins. A message is acknowledged when most
 * copies of its stream have it; RabbitMQ leaves to the operating system when it reaches the disks. What is older than the
 * topic's retention goes, a segment of 50 MB at a time, whether a group has had it or not. Rejects with `unavailable` if
 * the server is not there.
 */
export async function rabbitEngine(options: RabbitEngineOptions): Promise<Engine> {
  const { runtime, rabbitmq, prefix = 'heddle', leaseMs = 10_000 } = options;
  checkPrefix(prefix);
  // A server that lacks memory or disk stops reading from those who publish: members must not fall silent for that.
  const connection = new RabbitConnection(runtime, rabbitmq, leaseMs);
  const publishing = new RabbitConnection(runtime, rabbitmq, leaseMs);
  const onClose = async (): Promise<void> => {
    await Promise.all([connection.close(), publishing.close()]);
  };
  const promises: EnginePromises = {
    durable: 'process',
    delayed: true,
    replay: true,
    deduplicates: false,
    keepsUnread: false,
    maxPayloadBytes,
  };
  try {
    const names = new Names(prefix);
    const streams = new RabbitStreams(connection, publishing);
    const locks = new RabbitLocks(runtime, connection, names);
    const registry = new RabbitRegistry(streams, locks, names);
    await registry.open();
    // On the connection that has the locks: who has lost them cannot write where a group is.
    const own = new RabbitStreams(connection, connection);
    const positions = new RabbitPositions(own, registry, locks, names);
    const delays = new RabbitDelays(connection, names);
    const log = new RabbitLog({
      runtime,
      promises,
      connection,
      names,
      streams,
      registry,
      positions,
      locks,
      delays,
      onClose,
    });
    return leasedEngine(runtime, log, options);
  } catch (thrown) {
    await onClose();
    throw rabbitError(thrown);
  }
}

function checkPrefix(prefix: string): void {
  if (/^[a-zA-Z0-9-]{1,32}$/.test(prefix)) return;
  const message = `prefix: expected 1 to 32 letters, digits and "-", found ${JSON.stringify(prefix)}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_PREFIX', message, sent: false });
}
