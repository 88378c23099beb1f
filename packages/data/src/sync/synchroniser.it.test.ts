import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { type Broker, broker } from '@heddle/messaging';
import { postgresEngine } from '@heddle/messaging/postgres';
import { SqlRepository } from '../repository/index.ts';
import { type Database, databases, runtime, until } from '../testing/node/databases.ts';
import { type AnySyncRule, repositorySource, Synchroniser, type SyncRule, tableTarget } from './index.ts';

let server: Awaited<ReturnType<typeof databases>>;
before(async () => {
  server = await databases();
});
after(() => server.stop());

interface Customer {
  readonly id: string;
  readonly name: string;
  readonly city: string;
}

interface Label {
  readonly id: string;
  readonly text: string;
}

interface Stage {
  readonly source: Database;
  readonly target: Database;
  readonly customers: SqlRepository<Customer>;
  /** A rule for customers into the table `label` of the target. */
  readonly rule: (more: Partial<SyncRule<Customer, Label>>) => AnySyncRule;
  readonly open: (...rules: readonly AnySyncRule[]) => Promise<Synchroniser>;
  /** Saves or updates one, as the service would. */
  readonly put: (sync: Synchroniser, customer: Customer, eventType?: string) => Promise<void>;
  readonly labels: () => Promise<readonly string[]>;
}

function withStage(run: (stage: Stage) => Promise<void>): () => Promise<void> {
  return async () => {
    const [source, target] = [await server.create(), await server.create()];
    await target.pool.execute(
      `CREATE TABLE label (id text PRIMARY KEY, text text CHECK (text <> 'refused'))`,
    );
    const customers = new SqlRepository<Customer>({ pool: source.pool, table: 'customer' });
    await customers.prepare();
    const bus: Broker = broker(await postgresEngine({ runtime, ...source, pollMs: 50 }), {
      runtime,
      source: 'test',
    });
    const opened: Synchroniser[] = [];
    const labels = tableTarget<Label>({ name: 'labels', pool: target.pool, table: 'label' });
    try {
      await run({
        source,
        target,
        customers,
        rule: (more) =>
          ({
            name: 'labels',
            entityType: 'customer',
            level: 'eventual',
            map: ({ id, name, city }: Customer) =>
              city === '' ? undefined : { id, text: `${name}, ${city}` },
            target: labels,
            ...more,
          }) as AnySyncRule,
        open: async (...rules) => {
          const { pool } = source;
          const sources = [repositorySource('customer', 'customer')];
          const sync = new Synchroniser({
            runtime,
            name: 'shop',
            pool,
            rules,
            broker: bus,
            sources,
            attempts: 2,
          });
          await sync.start();
          opened.push(sync);
          return sync;
        },
        put: (sync, customer, eventType = 'saved') =>
          sync.transaction(['customer'], async ({ sql, changed }) => {
            const kept = customers.within(sql);
            const found = await kept.findById(customer.id);
            const { version } =
              found === undefined ? await kept.save(customer) : await kept.update(customer, found.version);
            changed({ entityType: 'customer', eventType, id: customer.id, version, value: customer });
          }),
        labels: async () =>
          (await target.pool.query<{ text: string }>('SELECT text FROM label ORDER BY id')).map(
            ({ text }) => text,
          ),
      });
    } finally {
      for (const sync of opened) await sync.stop();
      await bus.close();
      await source.close();
      await target.close();
    }
  };
}

const ada = { id: 'a', name: 'Ada', city: 'London' };

test(
  'strong: a change is in the target when it is done; what the target refuses does not happen at all',
  withStage(async ({ rule, open, put, labels, customers, source }) => {
    const sync = await open(rule({ level: 'strong' }));
    await put(sync, ada);
    assert.deepEqual(await labels(), ['Ada, London']);
    await put(sync, { ...ada, city: 'Paris' });
    assert.deepEqual(await labels(), ['Ada, Paris']);
    await sync.transaction(['customer'], async ({ sql, changed }) => {
      await customers.within(sql).delete('a');
      changed({ entityType: 'customer', eventType: 'deleted', id: 'a', version: 3, value: undefined });
    });
    assert.deepEqual(await labels(), []);
    const refusing = await open(
      rule({ name: 'strict', level: 'strong', map: ({ id }) => ({ id, text: 'refused' }) }),
    );
    await assert.rejects(put(refusing, { id: 'b', name: 'Bob', city: 'Rome' }), {
      reason: 'CHECK_VIOLATION',
    });
    assert.equal(await customers.findById('b'), undefined);
    assert.deepEqual(await source.pool.query('SELECT gid FROM pg_prepared_xacts'), []);
  }),
);

test(
  'eventual: it comes in order, once; what is older never overwrites what is newer',
  withStage(async ({ rule, open, put, labels, target }) => {
    await target.pool.execute(`
      CREATE TABLE history (text text);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO history VALUES (NEW.text); RETURN NULL; END $$;
      CREATE TRIGGER note AFTER INSERT OR UPDATE ON label FOR EACH ROW EXECUTE FUNCTION note()`);
    const [sync, other] = [await open(rule({})), await open(rule({}))];
    for (let n = 0; n < 20; n += 1) await put(n % 2 === 0 ? sync : other, { ...ada, city: `town ${n}` });
    await until('the last has come', async () => (await labels())[0] === 'Ada, town 19');
    await until('nothing waits', async () => (await sync.lag('labels')) === 0);
    const history = await target.pool.query<{ text: string }>('SELECT text FROM history');
    assert.deepEqual(
      history.map(({ text }) => text),
      Array.from({ length: 20 }, (_, n) => `Ada, town ${n}`),
    );
    // As if it came again, late.
    await sync.transaction(['customer'], async ({ changed }) =>
      changed({ entityType: 'customer', eventType: 'saved', id: 'a', version: 3, value: ada }),
    );
    await until('it was looked at', async () => (await sync.lag('labels')) === 0);
    assert.deepEqual(await labels(), ['Ada, town 19']);
  }),
);

test(
  'what a target refuses is a dead letter, and the others go on; resync makes it good; compare sees it',
  withStage(async ({ rule, open, put, labels, target }) => {
    const sync = await open(rule({ map: ({ id, name }) => ({ id, text: name }) }));
    await put(sync, { ...ada, name: 'refused' });
    await put(sync, { id: 'b', name: 'Bob', city: 'Rome' });
    await until('Bob has come', async () => (await labels()).includes('Bob'));
    await until('it is put aside', async () => (await sync.deadLetters('labels').list()).length === 1);
    const found = async (): Promise<readonly unknown[]> => {
      const all: unknown[] = [];
      for await (const { id, kind } of sync.compare('labels')) all.push([id, kind]);
      return all;
    };
    assert.deepEqual(await found(), [['a', 'behind']]);
    await target.pool.execute(
      "ALTER TABLE label DROP CONSTRAINT label_text_check; INSERT INTO label VALUES ('z', '')",
    );
    await sync.resync('labels', 'a');
    assert.deepEqual(await found(), [['z', 'extra']]);
    await target.pool.execute(
      "UPDATE label SET text = 'wrong' WHERE id = 'b'; DELETE FROM label WHERE id <> 'b'",
    );
    assert.deepEqual(await found(), [
      ['a', 'missing'],
      ['b', 'different'],
    ]);
    await sync.resync('labels', 'a');
    await sync.resync('labels', 'b');
    assert.deepEqual(await labels(), ['refused', 'Bob']);
  }),
);

test(
  'weak: it is passed on as well as it goes, and what fails is counted',
  withStage(async ({ rule, open, put, labels, customers }) => {
    const sync = await open(rule({ level: 'weak', map: ({ id, name }) => ({ id, text: name }) }));
    await put(sync, ada);
    await put(sync, { id: 'b', name: 'refused', city: 'Rome' });
    await until('both were tried', async () => {
      const { done, failed } = sync.weakCounts('labels');
      return done + failed === 2;
    });
    assert.deepEqual(sync.weakCounts('labels'), { done: 1, failed: 1, dropped: 0 });
    assert.deepEqual(await labels(), ['Ada']);
    assert.equal((await customers.findById('b'))?.entity.name, 'refused');
  }),
);

test(
  'a rule is for entities of a type, and of those for the events that it names',
  withStage(async ({ rule, open, put, labels }) => {
    const sync = await open(rule({ level: 'strong', eventTypes: ['moved'] }));
    await put(sync, ada, 'saved');
    assert.deepEqual(await labels(), []);
    await put(sync, { ...ada, city: 'Paris' }, 'moved');
    assert.deepEqual(await labels(), ['Ada, Paris']);
    // An entity type that is called like the event is no match.
    const late = sync.transaction(['order'], async ({ changed }) =>
      changed({ entityType: 'moved', eventType: 'moved', id: 'a', version: 9, value: ada }),
    );
    await assert.rejects(late, { reason: 'BAD_CHANGE' });
  }),
);

test(
  'copy: what was there before is copied, and changes meanwhile win',
  withStage(async ({ rule, open, put, labels, customers }) => {
    for (let n = 0; n < 30; n += 1)
      await customers.save({ id: `c${n}`, name: `c${n}`, city: n === 7 ? '' : 'x' });
    const sync = await open(rule({}));
    await put(sync, { id: 'c3', name: 'new', city: 'y' });
    await until('the change has come', async () => (await labels()).includes('new, y'));
    assert.equal(await sync.copy('labels'), 30);
    const all = await labels();
    assert.deepEqual([all.length, all.includes('new, y'), all.includes('c3, x')], [29, true, false]);
    for await (const difference of sync.compare('labels')) assert.fail(JSON.stringify(difference));
  }),
);

test(
  'rules that cannot be kept are refused, all that is wrong with them at once',
  withStage(async ({ rule, source }) => {
    const rules = [
      rule({ name: 'Big', level: 'sometimes' as never }),
      rule({ level: 'weak' }),
      rule({ level: 'weak' }),
    ];
    assert.throws(
      () => new Synchroniser({ runtime, name: 'shop', pool: source.pool, rules }),
      (thrown) =>
        thrown instanceof HeddleError &&
        thrown.reason === 'BAD_SYNC' &&
        /"Big".*level: expected strong.*there are two of it/s.test(thrown.message),
    );
    assert.throws(() => new Synchroniser({ runtime, name: 'shop', pool: source.pool, rules: [rule({})] }), {
      reason: 'BAD_SYNC',
    });
  }),
);
