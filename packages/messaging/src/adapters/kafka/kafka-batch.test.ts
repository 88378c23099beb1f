import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createRecordsBatch, type MessageRecord, Reader, readRecordsBatch } from '@platformatic/kafka';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { completeMessage } from '../../message/complete-message.ts';
import { batchOf, headerName, type OutgoingRecord } from './kafka-batch.ts';
import { discardOf, readRecord, recordOf } from './kafka-records.ts';

interface Given {
  readonly key?: string;
  readonly value?: Uint8Array;
  readonly timeMs?: number;
  readonly headers?: readonly (readonly [string, string])[];
}

function ours(given: readonly Given[]): Buffer {
  return batchOf(
    given.map(
      ({ key = '', value = new Uint8Array(), timeMs = 1, headers = [] }): OutgoingRecord => ({
        key,
        value,
        timeMs,
        headers: headers.map(([name]) => headerName(name)),
        headerValues: headers.map(([, text]) => text),
      }),
    ),
  );
}

function theirs(given: readonly Given[]): Buffer {
  const records = given.map(
    ({ key = '', value = new Uint8Array(), timeMs = 1, headers = [] }): MessageRecord => ({
      topic: 't',
      value: Buffer.from(value),
      timestamp: BigInt(timeMs),
      headers: new Map(headers.map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
      ...(key !== '' && { key: Buffer.from(key) }),
    }),
  );
  return createRecordsBatch(records).buffer;
}

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at % 251);

suite('batches of Kafka', () => {
  const cases: Record<string, readonly Given[]> = {
    'nothing but a record': [{}],
    'a key and a value': [{ key: 'k', value: bytes(10) }],
    'records with a length of one, two, three and four bytes': [1, 63, 64, 8191, 8192, 1_100_000].map(
      (length) => ({
        value: bytes(length),
      }),
    ),
    'lengths around those at which a length gets longer': Array.from({ length: 80 }, (_, at) => ({
      value: bytes(at),
    })),
    'text that is not ASCII': [
      {
        key: 'Zürich',
        headers: [
          ['ce_ü', '日本 🧵'],
          ['empty', ''],
          ['plain', 'x'.repeat(200)],
        ],
      },
    ],
    'times before and after the first': [5_000_000_000_000, 4_999_999_999_000, 5_000_000_100_000].map(
      (timeMs) => ({
        timeMs,
      }),
    ),
    'a thousand records': Array.from({ length: 1000 }, (_, at) => ({ key: `k${at}`, value: bytes(at) })),
  };
  for (const [name, given] of Object.entries(cases))
    test(`${name}: byte for byte what the client library writes`, () => {
      assert.ok(ours(given).equals(theirs(given)), ours(given).toString('hex').slice(0, 400));
    });

  test('a message comes back as it was, and a discard names its offset', () => {
    const runtime = bareRuntime(new VirtualTime());
    const message = completeMessage(
      { topic: 'orders', key: 'Zoë', payload: bytes(300), headers: { 'x-a.b_c0': 'ä' }, aggregateVersion: 7 },
      { runtime, source: 'shop' },
    );
    const { records } = readRecordsBatch(Reader.from(batchOf([recordOf(message), discardOf(42, 1)])));
    const [first, second] = records.map((record, offset) => readRecord('orders', 3, offset, record));
    assert.deepEqual(first, { stored: { message: { ...message }, partition: 3, offset: 0 } });
    assert.deepEqual(second, { discards: 42 });
  });
});
