import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { type Database, databases, runtime } from '../testing/node/databases.ts';
import { MemoryRepository, type Repository, SqlRepository } from './index.ts';

interface Tea {
  readonly id: string;
  readonly name: string;
  readonly grams: number;
  readonly green: boolean;
  readonly origin?: string;
  readonly tags: readonly string[];
}

const fields = { name: 'text', grams: 'number', green: 'boolean', origin: 'text' } as const;
const tea = (id: string, more: Partial<Tea> = {}): Tea => ({
  id,
  name: `tea ${id}`,
  grams: 100,
  green: false,
  tags: [],
  ...more,
});
const is = (reason: string) => (thrown: unknown) => HeddleError.from(thrown).reason === reason;

let server: Awaited<ReturnType<typeof databases>>;
let database: Database;
let count = 0;
before(async () => {
  server = await databases();
  database = await server.create();
});
after(async () => {
  await database.close();
  await server.stop();
});

async function inSql(): Promise<SqlRepository<Tea>> {
  count += 1;
  const repository = new SqlRepository<Tea>({ pool: database.pool, table: `teas_${count}`, fields });
  await repository.prepare();
  return repository;
}

const kinds: Readonly<Record<string, () => Promise<Repository<Tea>>>> = {
  'in memory': async () => new MemoryRepository<Tea>({ clock: runtime.clock, fields }),
  'in PostgreSQL': inSql,
};

for (const [kind, open] of Object.entries(kinds))
  describe(`a repository ${kind}`, () => {
    test('keeps what it is given, with version and stamps, and shares nothing', async () => {
      const repository = await open();
      const tags = ['loose'];
      const given = tea('a', { tags });
      const saved = await repository.save(given);
      tags.push('changed');
      assert.deepEqual([saved.version, saved.entity.tags], [1, ['loose']]);
      (saved.entity.tags as string[]).push('changed too');
      const found = await repository.findById('a');
      assert.deepEqual(found?.entity, tea('a', { tags: ['loose'] }));
      assert.deepEqual(found.createdAt, found.updatedAt);
      assert.equal(await repository.findById('b'), undefined);
      await assert.rejects(repository.save(tea('a')), is('ENTITY_EXISTS'));
    });

    test('updates and deletes only the version that was read', async () => {
      const repository = await open();
      await repository.save(tea('a'));
      const second = await repository.update(tea('a', { grams: 50 }), 1);
      assert.deepEqual([second.version, second.entity.grams], [2, 50]);
      assert.ok(second.updatedAt >= second.createdAt);
      await assert.rejects(repository.update(tea('a'), 1), is('STALE_VERSION'));
      await assert.rejects(repository.update(tea('none'), 1), is('NO_SUCH_ENTITY'));
      await assert.rejects(repository.delete('a', 1), is('STALE_VERSION'));
      assert.equal(await repository.delete('a', 2), true);
      assert.equal(await repository.delete('a'), false);
      assert.equal(await repository.delete('a', 2), false);
    });

    test('of many who update one version, one wins', async () => {
      const repository = await open();
      await repository.save(tea('a', { grams: 0 }));
      const all = await Promise.allSettled(
        Array.from({ length: 20 }, (_, n) => repository.update(tea('a', { grams: n }), 1)),
      );
      assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 1);
      assert.equal((await repository.findById('a'))?.version, 2);
    });

    test('finds by typed conditions', async () => {
      const repository = await open();
      const teas = [
        tea('a', { name: 'Assam', grams: 100, origin: 'IN' }),
        tea('b', { name: 'Bancha', grams: 9, green: true, origin: 'JP' }),
        tea('c', { name: 'Ceylon', grams: 250 }),
        tea('d', { name: "D'Anhui", grams: 250, green: true, origin: 'CN' }),
      ];
      for (const each of teas) await repository.save(each);
      const ids = async (criteria: Parameters<typeof repository.findByCriteria>[0]): Promise<string> =>
        (await repository.findByCriteria(criteria)).items.map(({ entity }) => entity.id).join('');
      assert.equal(await ids({}), 'abcd');
      assert.equal(await ids({ name: 'Assam' }), 'a');
      assert.equal(await ids({ name: "D'Anhui" }), 'd');
      assert.equal(await ids({ grams: { gt: 9, lte: 250 } }), 'acd');
      assert.equal(await ids({ grams: { lt: 100 } }), 'b');
      assert.equal(await ids({ green: true, grams: { gte: 10 } }), 'd');
      assert.equal(await ids({ origin: { in: ['JP', 'CN'] } }), 'bd');
      assert.equal(await ids({ origin: { eq: null } }), 'c');
      assert.equal(await ids({ origin: { ne: 'IN' } }), 'bcd');
      assert.equal(await ids({ origin: { ne: null } }), 'abd');
      assert.equal(await ids({ name: { startsWith: 'Ba' }, id: { ne: 'x' } }), 'b');
      assert.equal(await ids({ id: { in: [] } }), '');
    });

    test('goes through pages in any order, each entity once, with those without the field last', async () => {
      const repository = await open();
      for (let n = 0; n < 25; n += 1)
        await repository.save(
          tea(`t${String(n).padStart(2, '0')}`, {
            grams: n % 4,
            ...(n % 5 !== 0 && { origin: `o${n % 3}` }),
          }),
        );
      for (const orderBy of ['id', 'grams', 'origin', 'green'] as const)
        for (const direction of ['ascending', 'descending'] as const) {
          const seen: Tea[] = [];
          let next: string | undefined;
          do {
            const page = await repository.findByCriteria(
              { grams: { ne: 3 } },
              { orderBy, direction, limit: 7, ...(next !== undefined && { after: next }) },
            );
            seen.push(...page.items.map(({ entity }) => entity));
            next = page.next;
          } while (next !== undefined);
          assert.equal(new Set(seen.map(({ id }) => id)).size, 19, `${orderBy} ${direction}`);
          assert.equal(seen.length, 19);
          if (orderBy === 'origin') assert.ok(seen.slice(-4).every(({ origin }) => origin === undefined));
          if (orderBy === 'grams') {
            const sign = direction === 'ascending' ? 1 : -1;
            const sorted = seen.toSorted((a, b) => sign * (a.grams - b.grams));
            assert.deepEqual(
              seen.map(({ grams }) => grams),
              sorted.map(({ grams }) => grams),
            );
          }
        }
    });

    test('refuses what cannot be asked, with all that is wrong', async () => {
      const repository = await open();
      const wrong = { tags: 'x', grams: { gt: '1', like: 2 } } as unknown as Record<string, never>;
      await assert.rejects(repository.findByCriteria(wrong, { limit: 0, after: '!' }), (thrown: unknown) => {
        const { reason, message } = HeddleError.from(thrown);
        assert.equal(reason, 'BAD_CRITERIA');
        for (const part of ['tags', 'grams.gt', 'like', 'limit', 'after'])
          assert.ok(message.includes(part), part);
        return true;
      });
    });

    test('a transaction is all or nothing', async () => {
      const repository = await open();
      await assert.rejects(
        repository.transaction(async (unit) => {
          await unit.save(tea('a'));
          assert.notEqual(await unit.findById('a'), undefined);
          throw new Error('no');
        }),
        /no/,
      );
      assert.equal(await repository.findById('a'), undefined);
      const value = await repository.transaction(async (unit) => {
        await unit.save(tea('a'));
        await unit.save(tea('b'));
        return unit.transaction(async (inner) => (await inner.findByCriteria({})).items.length);
      });
      assert.equal(value, 2);
      assert.equal((await repository.findByCriteria({})).items.length, 2);
    });
  });

test('two repositories in one transaction are one unit of work', async () => {
  const [one, two] = [await inSql(), await inSql()];
  const both = (fails: boolean): Promise<void> =>
    database.pool.transaction(async (sql) => {
      await one.within(sql).save(tea('a'));
      await two.within(sql).save(tea('b'));
      if (fails) throw new Error('no');
    });
  await assert.rejects(both(true), /no/);
  assert.equal(await one.findById('a'), undefined);
  await both(false);
  assert.deepEqual([(await one.findById('a'))?.version, (await two.findById('b'))?.version], [1, 1]);
});

test('a table name that could end its statement is refused', () => {
  assert.throws(() => new SqlRepository({ pool: database.pool, table: 'a; DROP' }), is('BAD_TABLE'));
});
