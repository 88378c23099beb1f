import assert from 'node:assert/strict';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeRuntime } from '@heddle/kernel/node';
import { embeddedPostgres, sqlPool } from '@heddle/sql';
import { SqlSchemaRegistry } from './sql-schema-registry.ts';

const text = { type: 'string' };
const version1 = { type: 'object', properties: { id: text }, required: ['id'] };
const version2 = { type: 'object', properties: { id: text, note: text }, required: ['id'] };

test('versions are registered once, in order, and only those that readers and writers can live with', async () => {
  const runtime = { ...nodeRuntime({ name: 'test' }), log: () => {} };
  const folder = await mkdtemp(join(tmpdir(), 'heddle-schemas-'));
  const server = embeddedPostgres({ runtime, folder });
  await server.start();
  const pool = sqlPool(await server.createDatabase('schemas'), { runtime });
  try {
    const [one, other] = [new SqlSchemaRegistry(pool), new SqlSchemaRegistry(pool)];
    await one.prepare();
    const first = await Promise.all([one, other].map((each) => each.register('Order', version1)));
    assert.deepEqual(
      first.map(({ version }) => version),
      [1, 1],
    );
    const more = await Promise.all([one.register('Order', version2), other.register('Order', version2)]);
    assert.deepEqual(
      more.map(({ version, document }) => [version, document]),
      [
        [2, version2],
        [2, version2],
      ],
    );
    // Against every version: the second would allow it, the first does not.
    const broken = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id', 'note'] };
    await assert.rejects(one.register('Order', broken), (thrown: Error) => {
      assert.match(thrown.message, /version 1: .*\$\.note: the reader requires it/);
      assert.match(thrown.message, /version 2: .*\$\.id: the reader takes integer, it may be string/);
      return Reflect.get(thrown, 'reason') === 'INCOMPATIBLE_SCHEMA';
    });
    assert.equal((await one.register('Order', broken, 'none')).version, 3);
    assert.deepEqual(
      (await other.versions('Order')).map(({ version }) => version),
      [1, 2, 3],
    );
    assert.deepEqual(
      (await one.newest()).map(({ name, version, compatibility }) => [name, version, compatibility]),
      [['Order', 3, 'none']],
    );
    await assert.rejects(one.register('1', [] as never, 'some' as never), {
      reason: 'BAD_SCHEMA',
      message: /name: .*; document: .*; compatibility: /,
    });
  } finally {
    await pool.stop();
    await server.stop();
    await rm(await realpath(join(folder, 'server')), { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
});
