import { HeddleError, type Runtime } from '@heddle/kernel';
import {
  DiscardPolicy,
  jetstream,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import type { Engine, EnginePromises } from '../../engine.ts';
import { leasedEngine } from '../../log/leased-engine.ts';
import type { LeaseTimes } from '../../log/leased-membership.ts';
import { maxPayloadBytes } from '../../message/complete-message.ts';
import { Cells } from './cells.ts';
import { Names } from './names.ts';
import { natsError } from './nats-error.ts';
import { NatsGroups } from './nats-groups.ts';
import { NatsLog } from './nats-log.ts';
import { Retention } from './retention.ts';

/** What the engine is made from. */
export interface NatsEngineOptions extends LeaseTimes {
  readonly runtime: Runtime;
  /** Where the servers are, and who we are there. How connections are kept is the engine's own affair. */
  readonly nats: NodeConnectionOptions;
  /** What names of streams and subjects begin with: letters and digits. Default `heddle`. */
  readonly prefix?: string;
  /** Copies of each stream: 1, 3 or 5. Default 1. */
  readonly replicas?: number;
  /**
   * A connection of the system account, by which the server is asked whether it syncs before it acknowledges
   * (`sync_interval: always`, server 2.10 and newer). It must: otherwise `failed_precondition` / `NOT_DURABLE`. Without
   * this nothing is asked, and nothing more is promised than that the server's process may die.
   */
  readonly demandSync?: NodeConnectionOptions;
}

const retentionEveryMs = 60_000;
// Headers count too: room for them.
const headerRoom = 64 * 1024;

/**
 * Topics in NATS JetStream. JetStream acknowledges before the disk has it, by default for up to two minutes: an
 * acknowledged message survives the death of the server's process, and a power cut only with `demandSync`. It cannot
 * deliver later (`UNSUPPORTED`). Rejects with `unavailable` if the server is not there.
 */
export async function natsEngine(options: NatsEngineOptions): Promise<Engine> {
  const { runtime, nats, prefix = 'heddle', replicas = 1, demandSync } = options;
  checkPrefix(prefix);
  if (demandSync !== undefined) await checkSync(demandSync);
  const connection = await connected(nats);
  try {
    const js = jetstream(connection, { timeout: 5000 });
    const jsm = await jetstreamManager(connection, { timeout: 5000 });
    const names = new Names(prefix);
    await makeGroupStream(jsm, names, replicas);
    const promises: EnginePromises = {
      durable: demandSync === undefined ? 'process' : 'power cut',
      delayed: false,
      replay: true,
      deduplicates: false,
      keepsUnread: true,
      maxPayloadBytes: Math.min(maxPayloadBytes, (connection.info?.max_payload ?? 1_048_576) - headerRoom),
    };
    const groups = new NatsGroups(new Cells(js, jsm, names.groupStream), names);
    const retention = new Retention({ runtime, jsm, names, groups, everyMs: retentionEveryMs });
    const log = new NatsLog({
      runtime,
      connection,
      jsm,
      names,
      groups,
      promises,
      replicas,
      retention,
      onClose: async () => {
        await retention.stop();
        await connection.close();
      },
    });
    return leasedEngine(runtime, log, options);
  } catch (thrown) {
    await connection.close();
    throw natsError(thrown);
  }
}

async function connected(options: NodeConnectionOptions): Promise<NatsConnection> {
  try {
    return await connect({
      ...options,
      reconnect: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      reconnectJitter: 100,
      waitOnFirstConnect: false,
    });
  } catch (thrown) {
    throw natsError(thrown);
  }
}

async function makeGroupStream(jsm: JetStreamManager, names: Names, replicas: number): Promise<void> {
  await jsm.streams.add({
    name: names.groupStream,
    subjects: [names.groupSubjects],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_msgs_per_subject: 1,
    num_replicas: replicas,
  });
}

interface JszAnswer {
  readonly data?: { readonly config?: { readonly sync_always?: boolean } };
}

async function checkSync(options: NodeConnectionOptions): Promise<void> {
  const system = await connected({ ...options });
  try {
    const answer = await system.request('$SYS.REQ.SERVER.PING.JSZ', '', { timeout: 5000 });
    if (answer.json<JszAnswer>().data?.config?.sync_always === true) return;
  } catch (thrown) {
    throw natsError(thrown);
  } finally {
    await system.close();
  }
  const message =
    'the NATS server acknowledges before it syncs; set `jetstream { sync_interval: always }` (2.10 and newer), or leave out demandSync';
  throw new HeddleError({ code: 'failed_precondition', reason: 'NOT_DURABLE', message, sent: false });
}

function checkPrefix(prefix: string): void {
  if (/^[a-zA-Z0-9]{1,32}$/.test(prefix)) return;
  const message = `prefix: expected 1 to 32 letters and digits, found ${JSON.stringify(prefix)}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_PREFIX', message, sent: false });
}
