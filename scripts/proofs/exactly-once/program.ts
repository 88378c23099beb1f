// One of the processes of the proof: `program.ts <sender|relay|receiver> <url> <with-inbox|without-inbox>`. It is killed
// at any moment, so it does nothing at its end.
import { type Runtime, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { broker, type Broker, type Delivery, inbox, Outbox, SqlInbox, SqlOutbox } from '@heddle/messaging';
import { postgresEngine } from '@heddle/messaging/postgres';
import { type Sql, type SqlPool, sqlListener, sqlPool } from '@heddle/sql';

/** The topic that money travels by. */
export const topic = 'transfers';
/** Short, so that a receiver that was killed is soon replaced. */
export const leaseMs = 1000;

const runtime: Runtime = { ...nodeRuntime({ name: 'proof' }), log: () => {} };

interface Transfer {
  readonly id: string;
  readonly amount: number;
}

async function openBroker(pool: SqlPool, url: string): Promise<Broker> {
  const engine = await postgresEngine({ runtime, pool, url, leaseMs, pollMs: 100 });
  return broker(engine, { runtime, source: 'proof' });
}

/** Takes what is to be transferred, debits it, and says so: one transaction. */
async function send(pool: SqlPool, outbox: Outbox<Sql>): Promise<number> {
  return outbox.transaction(async (sql) => {
    const rows = await sql.query<Transfer>(
      `DELETE FROM wishes WHERE id IN (SELECT id FROM wishes ORDER BY id LIMIT 3 FOR UPDATE SKIP LOCKED)
         RETURNING id, amount`,
    );
    for (const { id, amount } of rows) {
      await sql.execute("UPDATE accounts SET balance = balance - $1 WHERE name = 'from'", [amount]);
      await sql.execute('INSERT INTO debits (id, amount) VALUES ($1, $2)', [id, amount]);
    }
    await outbox.publish(
      sql,
      rows.map((row) => ({ topic, key: row.id, id: row.id, payload: Buffer.from(JSON.stringify(row)) })),
    );
    return rows.length;
  });
}

async function runSender(pool: SqlPool, outbox: Outbox<Sql>): Promise<never> {
  for (;;) {
    const sent = await send(pool, outbox).catch(() => 0);
    if (sent === 0) await sleep(runtime.timers, 20);
  }
}

/** The effect: no constraint forbids it to happen twice. */
async function credit({ message }: Delivery, sql: Sql): Promise<void> {
  const { id, amount } = JSON.parse(Buffer.from(message.payload).toString()) as Transfer;
  await sql.execute("UPDATE accounts SET balance = balance + $1 WHERE name = 'to'", [amount]);
  await sql.execute('INSERT INTO credits (id, amount) VALUES ($1, $2)', [id, amount]);
}

async function runReceiver(pool: SqlPool, bus: Broker, withInbox: boolean): Promise<void> {
  const group = 'bank';
  const options = { group, attempts: 1000, backoff: { baseMs: 20, maxMs: 200 } };
  if (!withInbox) {
    await bus.subscribe(topic, options, (delivery) => pool.transaction((sql) => credit(delivery, sql)));
    return;
  }
  const records = new SqlInbox({ runtime, pool });
  await records.start();
  await bus.subscribeBatch(topic, { ...options, batch: 5 }, inbox(records, group, credit));
}

async function main([role, url = '', mode]: readonly string[]): Promise<void> {
  const pool = sqlPool(url, { runtime, maxConnections: 4 });
  const bus = await openBroker(pool, url);
  const store = new SqlOutbox({ pool, listener: sqlListener(url, 'heddle_outbox', runtime) });
  const outbox = new Outbox({ runtime, source: 'proof', store, broker: bus, pollMs: 100 });
  process.stdout.write('ready\n');
  if (role === 'receiver') await runReceiver(pool, bus, mode === 'with-inbox');
  else if (role === 'relay') outbox.start();
  else await runSender(pool, outbox);
}

// On a busy machine a killed PostgreSQL is back after many seconds, and the harness waits for longer than this.
const beginLimitMs = 60_000;

/** While the database is down nothing can begin: again, then. */
async function untilBegun(args: readonly string[]): Promise<void> {
  const giveUpAt = runtime.clock.nowMs() + beginLimitMs;
  for (;;) {
    try {
      return await main(args);
    } catch (error) {
      if (runtime.clock.nowMs() > giveUpAt) throw error;
      await sleep(runtime.timers, 100);
    }
  }
}

if (process.argv[1] === import.meta.filename) await untilBegun(process.argv.slice(2));
