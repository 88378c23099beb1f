import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addressIn, dnsAnswer, dnsFailure } from './dns-answer.ts';

const names = new Map([
  ['order', '127.70.1.2'],
  ['*.shop.example', '127.70.1.3'],
]);

/** A query with one question, as resolvers send it. */
function query(name: string, type = 1): Uint8Array {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Uint8Array.from([0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1]);
}

const answer = (name: string, type?: number): Buffer | undefined => {
  const found = dnsAnswer(query(name, type), addressIn(names));
  return found && Buffer.from(found);
};

describe('a name of a service', () => {
  test('has its loopback address, whatever its case', () => {
    const found = answer('ORDER');
    assert.deepEqual([...(found?.subarray(-4) ?? [])], [127, 70, 1, 2]);
    assert.equal(found?.readUInt16BE(0), 0xabcd);
    assert.equal(
      found?.readUInt16BE(2),
      0x8580,
      'an answer with authority, recursion asked for and to be had',
    );
    assert.deepEqual([found?.readUInt16BE(4), found?.readUInt16BE(6)], [1, 1]);
    // The question comes back as it was asked.
    assert.ok(found?.includes(Buffer.from('ORDER')));
  });

  test('has nothing of another type: resolvers that ask for both wait for no other server', () => {
    const found = answer('order', 28);
    assert.deepEqual([(found?.readUInt16BE(2) ?? 0) & 15, found?.readUInt16BE(6)], [0, 0]);
  });

  test('may be below a wildcard', () => {
    assert.deepEqual([...(answer('a.b.shop.example')?.subarray(-4) ?? [])], [127, 70, 1, 3]);
    assert.equal(answer('shop.example'), undefined);
  });
});

test('what is not ours is for others to answer', () => {
  assert.equal(answer('example.org'), undefined);
  for (const bytes of [
    [],
    [0, 1, 2],
    [...query('order').subarray(0, 15)],
    [...query('order')].with(2, 0x81),
  ]) {
    assert.equal(dnsAnswer(Uint8Array.from(bytes), addressIn(names)), undefined);
    assert.equal(dnsFailure(Uint8Array.from(bytes)), undefined);
  }
  const failure = Buffer.from(dnsFailure(query('example.org')) ?? []);
  assert.equal(failure.readUInt16BE(2), 0x8182);
});
