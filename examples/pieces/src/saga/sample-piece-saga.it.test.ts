// The saga on a real PostgreSQL, which comes with the packages: to its end, and back again.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { SagaEngine } from '@heddle/data/saga';
import { Call, HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import {
  type EmbeddedPostgres,
  embeddedPostgres,
  removeEmbeddedPostgres,
  type SqlPool,
  sqlPool,
} from '@heddle/sql';
import { samplePieceSaga } from './sample-piece-saga.ts';

const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const folder = mkdtempSync(path.join(tmpdir(), 'sample-piece-'));
const done: string[] = [];
const definition = samplePieceSaga({
  reserve: async (item, amount) => {
    done.push(`reserve ${amount} ${item}`);
    return `r-${item}`;
  },
  release: async (reservation) => void done.push(`release ${reservation}`),
  confirm: async (reservation) => {
    done.push(`confirm ${reservation}`);
    if (reservation !== 'r-pen') throw refused();
  },
});
let server: EmbeddedPostgres;
let pool: SqlPool;
let engine: SagaEngine;

before(async () => {
  server = embeddedPostgres({ runtime, folder });
  await server.start();
  const url = await server.createDatabase('sagas');
  pool = sqlPool(url, { runtime });
  engine = new SagaEngine({ runtime, pool, url, definitions: [definition] });
  await engine.start();
});

after(async () => {
  await engine.stop();
  await pool.stop();
  await server.stop();
  await removeEmbeddedPostgres(folder);
  rmSync(folder, { recursive: true, force: true });
});

async function ended(id: string, item: string): Promise<string> {
  await engine.begin(definition, { item, amount: 2 }, { id });
  const { status } = await engine.outcome(id, Call.root(runtime, runtime.clock.nowMs() + 30_000));
  return status;
}

test('is completed when every step is done', async () => {
  done.length = 0;
  assert.equal(await ended('one', 'pen'), 'completed');
  assert.deepEqual(done, ['reserve 2 pen', 'confirm r-pen']);
});

test('gives back what was reserved when it cannot be confirmed', async () => {
  done.length = 0;
  assert.equal(await ended('two', 'ink'), 'compensated');
  assert.equal(done.at(-1), 'release r-ink');
});

/** A refusal for good: it would be the same again. */
function refused(): HeddleError {
  return new HeddleError({
    code: 'failed_precondition',
    reason: 'NOT_FOR_SALE',
    message: 'that is not for sale',
  });
}
