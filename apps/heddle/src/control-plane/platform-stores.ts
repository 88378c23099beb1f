import { SagaStore } from '@heddle/data/saga';
import { PostgresParticipant, SqlDecisionLog } from '@heddle/data/twophase';
import { HeddleError, type Part, type Runtime } from '@heddle/kernel';
import { sqlPool } from '@heddle/sql';
import type { OpenBroker } from '../node/open-broker.ts';
import { openBrokerAt } from '../node/open-broker.ts';

/** One database in which services keep sagas and what two-phase commits leave in doubt. */
export interface ServiceDatabase {
  readonly name: string;
  readonly sagas: SagaStore;
  readonly log: SqlDecisionLog;
  readonly participant: PostgresParticipant;
}

/** What the pages about messages and transactions are made from; each may be missing. */
export interface PlatformStores {
  readonly databases: readonly ServiceDatabase[];
  /** Opened when it is first asked for, and again after it could not be. */
  readonly broker: (() => Promise<OpenBroker>) | undefined;
  readonly parts: readonly Part[];
}

type Env = Readonly<Record<string, string | undefined>>;

/** Opens what the environment names: `HEDDLE_BROKER_URL` for messages, `HEDDLE_SERVICE_DATABASES` (JSON, URL by name) for sagas. */
export function platformStores(env: Env, runtime: Runtime): PlatformStores {
  const parts: Part[] = [];
  const databases = Object.entries(namedUrls(env)).map(([name, at]) => databaseAt(name, at, runtime, parts));
  const at = env['HEDDLE_BROKER_URL'] ?? '';
  return { databases, broker: at === '' ? undefined : brokerAt(at, runtime, parts), parts };
}

function databaseAt(name: string, url: string, runtime: Runtime, parts: Part[]): ServiceDatabase {
  const pool = sqlPool(url, { runtime, name: `database of ${name}`, maxConnections: 2 });
  parts.push(pool);
  return {
    name,
    sagas: new SagaStore(pool, url, 'console'),
    log: new SqlDecisionLog(pool),
    participant: new PostgresParticipant({ name, pool }),
  };
}

function brokerAt(url: string, runtime: Runtime, parts: Part[]): () => Promise<OpenBroker> {
  let opening: Promise<OpenBroker> | undefined;
  parts.push({
    name: 'console broker',
    start: () => Promise.resolve(),
    stop: async () => (await opening?.catch(() => undefined))?.close(),
  });
  return () => {
    opening ??= openBrokerAt(url, runtime).catch((thrown: unknown) => {
      opening = undefined;
      throw thrown;
    });
    return opening;
  };
}

function namedUrls(env: Env): Readonly<Record<string, string>> {
  const text = env['HEDDLE_SERVICE_DATABASES'] ?? '';
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (
      typeof value === 'object' &&
      value !== null &&
      Object.values(value).every((one) => typeof one === 'string')
    )
      return value as Record<string, string>;
  } catch {
    // Said below, without the text: it holds secrets.
  }
  const message = 'HEDDLE_SERVICE_DATABASES: expected an object of URLs by name in JSON';
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_SETTING', message, sent: false });
}
