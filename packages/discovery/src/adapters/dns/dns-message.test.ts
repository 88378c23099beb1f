import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage, encodeQuery } from './dns-message.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

// id 7, response, one question a.bc SRV/IN at offset 12, counts as given.
const head = (counts: string): string => `0007 8180 0001 ${counts} 01 61 02 6263 00 0021 0001`;

test('a query is as RFC 1035 has it, with EDNS', () => {
  const expected = '0007 0100 0001 0000 0000 0001 01 61 02 6263 00 0021 0001 00 0029 04d0 00000000 0000';
  assert.deepEqual(encodeQuery(7, 'a.bc', 'SRV'), hex(expected));
  assert.deepEqual(encodeQuery(7, 'a.bc.', 'SRV'), hex(expected));
  for (const name of ['', 'a..b', `${'x'.repeat(64)}.a`, 'a b', 'ü.de', `${'abcdefgh.'.repeat(29)}a`]) {
    assert.throws(() => encodeQuery(1, name, 'A'), { reason: 'BAD_DNS_NAME' }, name);
  }
});

test('records are read, compressed names followed, unknown types and classes passed over', () => {
  const message = decodeMessage(
    hex(`${head('0003 0001 0002')}
      c00c 0021 0001 0000003c 000a 0001 000a 1f90 01 78 c00e
      c00c 0010 0001 0000003c 0003 02 6869
      c00c 0005 0001 ffffffff 0002 c00e
      c00e 0006 0001 00000384 0018 00 01 6d 00 00000000 00000000 00000000 00000000 00000078
      01 78 c00e 0001 0001 00000005 0004 0a000001
      01 78 c00e 001c 0001 00000005 0010 20010db8000000000000000000000001`),
  );
  assert.deepEqual([message.id, message.isResponse, message.truncated, message.rcode], [7, true, false, 0]);
  assert.deepEqual(message.question, { name: 'a.bc', type: 33 });
  assert.deepEqual(message.answers, [
    {
      name: 'a.bc',
      ttlSeconds: 60,
      type: 'SRV',
      data: { priority: 1, weight: 10, port: 8080, target: 'x.bc' },
    },
    { name: 'a.bc', ttlSeconds: 0, type: 'CNAME', data: 'bc' },
  ]);
  assert.deepEqual(message.authorities, [{ name: 'bc', ttlSeconds: 900, type: 'SOA', data: 120 }]);
  assert.deepEqual(message.additionals, [
    { name: 'x.bc', ttlSeconds: 5, type: 'A', data: '10.0.0.1' },
    { name: 'x.bc', ttlSeconds: 5, type: 'AAAA', data: '2001:db8:0:0:0:0:0:1' },
  ]);
});

test('a circle of pointers, a pointer forward, and what is cut off are refused', () => {
  const cases = [
    '0007 8180 0001 0000 0000 0000 c00c 0021 0001',
    '0007 8180 0001 0000 0000 0000 c00e c00c 0021 0001',
    '0007 8180 0001 0000 0000 0000 40 61',
    `${head('0001 0000 0000')} c00c 0001 0001 0000003c 0004 0a0000`,
    `${head('0001 0000 0000')} c00c 0001 0001 0000003c 0003 0a0000`,
    '0007 81',
  ];
  for (const bytes of cases)
    assert.throws(() => decodeMessage(hex(bytes)), { reason: 'BAD_DNS_MESSAGE' }, bytes);
});

test('property: no bytes make it throw anything but its own error, or take long', () => {
  const prefix = hex('0007 8180 0001 0003 0001 0001');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const input of [bytes, Uint8Array.from([...prefix, ...bytes])]) {
        try {
          decodeMessage(input);
        } catch (thrown) {
          assert.equal((thrown as { reason?: string }).reason, 'BAD_DNS_MESSAGE');
        }
      }
    }),
    { numRuns: 500 },
  );
});
