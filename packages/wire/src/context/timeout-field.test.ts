import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  readConnectTimeout,
  readGrpcTimeout,
  readRequestTimeout,
  writeConnectTimeout,
  writeGrpcTimeout,
  writeRequestTimeout,
} from './timeout-field.ts';

test('reads every unit of grpc-timeout', () => {
  const cases = {
    '1H': 3_600_000,
    '2M': 120_000,
    '3S': 3000,
    '100m': 100,
    '5000u': 5,
    '1000000n': 1,
    '0m': 0,
  };
  for (const [text, ms] of Object.entries(cases)) assert.equal(readGrpcTimeout(text), ms, text);
});

test('refuses what is no grpc-timeout', () => {
  for (const text of ['', '5', 'm', '123456789m', '-1m', '1.5S', '1 m', '1s', ' 1m', '1m ', '٣m']) {
    assert.equal(readGrpcTimeout(text), undefined, text);
  }
});

test('reads and refuses x-request-timeout', () => {
  assert.equal(readRequestTimeout('2.5'), 2500);
  assert.equal(readRequestTimeout('0'), 0);
  for (const text of ['', '-1', '1e3', '2.', '.5', 'NaN', 'Infinity', '1s', '0x10']) {
    assert.equal(readRequestTimeout(text), undefined, text);
  }
});

test('reads, refuses and writes connect-timeout-ms', () => {
  assert.equal(readConnectTimeout('2500'), 2500);
  for (const text of ['', '-1', '1.5', '1e3', '12345678901'])
    assert.equal(readConnectTimeout(text), undefined);
  assert.deepEqual([0, 1.9, 1e12].map(writeConnectTimeout), ['0', '1', '9999999999']);
});

test('property: a hop never extends a deadline, and loses at most a thousandth or a microsecond', () => {
  const durations = fc.double({ min: 0, max: 86_400_000, noNaN: true });
  fc.assert(
    fc.property(durations, (ms) => {
      for (const back of [
        readGrpcTimeout(writeGrpcTimeout(ms)),
        readRequestTimeout(writeRequestTimeout(ms)),
      ]) {
        assert.ok(back !== undefined && back <= ms + 1e-6, `${ms} became ${back}`);
        assert.ok(back >= ms - Math.max(0.001, ms / 1000) - 1e-6, `${ms} became ${back}`);
      }
    }),
  );
});

test('property: what is written has at most eight digits', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e15, noNaN: true }), (ms) => {
      assert.match(writeGrpcTimeout(ms), /^\d{1,8}[HMSmun]$/);
    }),
  );
});
