import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SqlPool } from '@heddle/sql';
import { type Database, databases, runtime, until } from '../../testing/node/databases.ts';
import { type AnySyncRule, PostgresCapture, type SyncRule, tableTarget } from '../index.ts';

let server: Awaited<ReturnType<typeof databases>>;
before(async () => {
  server = await databases();
});
after(() => server.stop());

interface Customer {
  readonly id: number;
  readonly name: string;
  readonly notes: unknown;
  readonly picture: string | null;
}

interface Stage {
  readonly source: Database;
  readonly target: Database;
  readonly open: (more?: {
    readonly pool?: SqlPool;
    readonly rule?: Partial<SyncRule<Customer, object>>;
  }) => Promise<PostgresCapture>;
  /** What has been written into the target, in order. */
  readonly history: () => Promise<readonly string[]>;
  readonly caughtUp: (capture: PostgresCapture) => Promise<void>;
}

function withStage(run: (stage: Stage) => Promise<void>, mayReplicate = true): () => Promise<void> {
  return async () => {
    const [source, target] = [await server.create(), await server.create()];
    await source.pool.execute(`
      CREATE TABLE customer (id integer PRIMARY KEY, name text NOT NULL, notes jsonb, picture text, since timestamptz DEFAULT now(), tags text[]);
      ALTER TABLE customer ALTER COLUMN picture SET STORAGE EXTERNAL;
      CREATE TABLE other (id integer PRIMARY KEY)`);
    await target.pool.execute(`
      CREATE TABLE copy (id integer PRIMARY KEY, name text CHECK (name <> 'refused'), notes jsonb, picture text, since timestamptz, tags text[]);
      CREATE TABLE history (n integer GENERATED ALWAYS AS IDENTITY, text text);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO history (text) VALUES (TG_OP || ' ' || coalesce(NEW.id, OLD.id) || coalesce(' ' || NEW.name, ''));
        RETURN NULL; END $$;
      CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON copy FOR EACH ROW EXECUTE FUNCTION note()`);
    const opened: PostgresCapture[] = [];
    const copies = tableTarget<object>({ name: 'copies', pool: target.pool, table: 'copy' });
    // Slots are unique on a server.
    const name = new URL(source.url).pathname.slice(1);
    if (mayReplicate) await server.admin(`ALTER ROLE ${new URL(source.url).username} REPLICATION`);
    try {
      await run({
        source,
        target,
        open: async ({ pool = source.pool, rule = {} } = {}) => {
          const capture = new PostgresCapture({
            runtime,
            name,
            pool,
            tables: [{ table: 'public.customer', entityType: 'customer' }],
            rules: [
              {
                name: 'copies',
                entityType: 'customer',
                level: 'eventual',
                map: (value: object) => value,
                target: copies,
                ...rule,
              } as AnySyncRule,
            ],
            pollMs: 20,
          });
          await capture.start();
          opened.push(capture);
          return capture;
        },
        history: async () =>
          (await target.pool.query<{ text: string }>('SELECT text FROM history ORDER BY n')).map(
            ({ text }) => text,
          ),
        caughtUp: async (capture) => {
          await until('source and target are the same', async () => {
            for await (const _difference of capture.compare('copies')) return false;
            return true;
          });
        },
      });
    } finally {
      for (const capture of opened) await capture.stop();
      await opened.at(-1)?.remove();
      await source.close();
      await target.close();
    }
  };
}

const insert = (id: number, name: string): string =>
  `INSERT INTO customer (id, name, notes, tags) VALUES (${id}, '${name}', '{"a": [1, "x"]}', '{one,two}')`;

test(
  'what is there is copied, then every change comes, in order: inserts, updates, deletes, keys that change',
  withStage(async ({ source, open, history, caughtUp }) => {
    await source.pool.execute(insert(1, 'Ada'));
    const capture = await open();
    await source.pool.execute(insert(2, 'Bob'));
    await source.pool.execute("UPDATE customer SET name = 'Bea', notes = NULL WHERE id = 2");
    await source.pool.transaction(async (sql) => {
      await sql.execute("UPDATE customer SET name = 'Abe' WHERE id = 1");
      await sql.execute("UPDATE customer SET name = 'Al' WHERE id = 1");
    });
    await source.pool
      .transaction(async (sql) => {
        await sql.execute(insert(3, 'never'));
        throw new Error('rolled back');
      })
      .catch(() => {});
    await source.pool.execute('INSERT INTO other VALUES (1)');
    await source.pool.execute('UPDATE customer SET id = 4 WHERE id = 2');
    await source.pool.execute('DELETE FROM customer WHERE id = 1');
    await caughtUp(capture);
    await until('all is passed on', async () => (await history()).length === 8);
    assert.deepEqual(await history(), [
      'INSERT 1 Ada',
      'INSERT 2 Bob',
      'UPDATE 2 Bea',
      'UPDATE 1 Abe',
      'UPDATE 1 Al',
      'DELETE 2',
      'INSERT 4 Bea',
      'DELETE 1',
    ]);
  }),
);

test(
  'it goes on where it was: what changes while nothing runs comes later, and nothing twice',
  withStage(async ({ source, open, history, caughtUp }) => {
    const first = await open();
    await source.pool.execute(insert(1, 'Ada'));
    await caughtUp(first);
    await first.stop();
    await source.pool.execute(insert(2, 'Bob'));
    await source.pool.execute('DELETE FROM customer WHERE id = 1');
    // Its word that the targets have it is lost: the log comes again, and is passed over.
    let lost = 0;
    const forgetful: SqlPool = {
      name: 'forgetful',
      load: source.pool.load,
      execute: (text, values) => source.pool.execute(text, values),
      query: (text, values) => {
        if (!text.includes('pg_replication_slot_advance') || lost >= 3)
          return source.pool.query(text, values);
        lost += 1;
        return Promise.reject(new Error('lost'));
      },
      transaction: (work, options) => source.pool.transaction(work, options),
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(),
    };
    const second = await open({ pool: forgetful });
    await caughtUp(second);
    await until('it was lost three times', async () => lost === 3);
    await source.pool.execute(insert(3, 'Cleo'));
    await caughtUp(second);
    assert.deepEqual(await history(), ['INSERT 1 Ada', 'INSERT 2 Bob', 'DELETE 1', 'INSERT 3 Cleo']);
  }),
);

test(
  'two instances: one at a time reads, and nothing comes twice',
  withStage(async ({ source, open, history, caughtUp }) => {
    const [one] = [await open(), await open()];
    for (let n = 0; n < 40; n += 1) await source.pool.execute(insert(n, `n${n}`));
    await caughtUp(one);
    assert.deepEqual(
      await history(),
      Array.from({ length: 40 }, (_, n) => `INSERT ${n} n${n}`),
    );
  }),
);

test(
  'a large value that an update leaves alone is kept, though the log does not have it',
  withStage(async ({ source, target, open, caughtUp }) => {
    const capture = await open();
    await source.pool.execute(
      "INSERT INTO customer (id, name, picture) VALUES (1, 'Ada', repeat('x', 100000))",
    );
    await source.pool.execute("UPDATE customer SET name = 'Al' WHERE id = 1");
    await caughtUp(capture);
    const [row] = await target.pool.query<{ name: string; size: number }>(
      'SELECT name, length(picture) AS size FROM copy',
    );
    assert.deepEqual(row, { name: 'Al', size: 100_000 });
  }),
);

test(
  'what a target refuses is put aside with the reason, the others go on, and resync makes it good',
  withStage(async ({ source, target, open, caughtUp }) => {
    const capture = await open();
    await source.pool.execute(insert(1, 'refused'));
    await source.pool.execute(insert(2, 'Bob'));
    await until('Bob has come', async () => (await target.pool.query('SELECT 1 FROM copy')).length === 1);
    const [parked] = await capture.parked('copies');
    assert.deepEqual([parked?.id, /CHECK_VIOLATION/.test(parked?.error ?? '')], ['1', true]);
    await target.pool.execute('ALTER TABLE copy DROP CONSTRAINT copy_name_check');
    await capture.resync('copies', '1');
    await caughtUp(capture);
    assert.deepEqual(await capture.parked('copies'), []);
    assert.ok((await capture.lagBytes()) >= 0);
  }),
);

test(
  'a user who may not read the log is told so, and what to do about it',
  withStage(async ({ open }) => {
    await assert.rejects(open(), { reason: 'MAY_NOT_REPLICATE', message: /ALTER ROLE \w+ REPLICATION/ });
  }, false),
);
