// HTTP/1.1: who is slow, who is endless, and who asks without listening.
import assert from 'node:assert/strict';
import type { Attack } from './attacker.ts';

const everyMs = 100;
const get = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

/** All of them. */
export const http1Attacks: readonly Attack[] = [
  {
    name: 'slow heads: a field every now and then, 200 connections',
    connections: 200,
    act: (attacker) => {
      attacker.send('GET / HTTP/1.1\r\nHost: a\r\n');
      attacker.trickle('X: y\r\n', everyMs);
    },
    judge: answered(408),
  },
  {
    name: 'connections that say nothing, 200 of them',
    connections: 200,
    act: () => {},
    judge: (said) => assert.equal(said.length, 0, 'bytes said to a stranger'),
  },
  {
    name: 'slow bodies: a byte every now and then, 50 connections',
    connections: 50,
    act: (attacker) => {
      attacker.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
      attacker.trickle('x', everyMs);
    },
    judge: answered(408),
  },
  {
    name: 'slow read: an answer of 64 MiB that is not read, 20 connections',
    connections: 20,
    act: (attacker) => {
      attacker.stopReading(4000);
      attacker.send('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
    },
    judge: () => {},
  },
  {
    name: 'a pipeline without end whose answers are not read',
    // It is made to wait, and breaks no limit by that.
    counted: false,
    act: (attacker) => {
      attacker.stopReading(6000);
      attacker.flood(() => [get], 2_000_000);
    },
    judge: () => {},
  },
  {
    name: 'a pipeline behind a request that is not answered',
    counted: false,
    answer: 'never',
    act: (attacker) => {
      attacker.flood(() => [get], 20_000);
      // What is held is bounded; how long the service may take is the service's affair, and the client gives up.
      setTimeout(() => attacker.leave(), 2000);
    },
    judge: (said) => assert.equal(said.length, 0, 'bytes of answers that do not exist'),
  },
  {
    name: 'chunk extensions without end (CVE-2024-22019)',
    act: (attacker) => {
      attacker.send(`${chunked}1;`);
      attacker.flood(() => [Buffer.alloc(1000, 'e')]);
    },
    judge: answered(400, 413, 431),
  },
  {
    name: 'extensions on every chunk',
    act: (attacker) => {
      attacker.send(chunked);
      attacker.flood(() => [Buffer.from('1;a=b\r\nx\r\n')]);
    },
    judge: answered(400, 413, 431),
  },
  {
    name: 'trailers without end',
    act: (attacker) => {
      attacker.send(`${chunked}0\r\n`);
      attacker.flood((turn) => [Buffer.from(`X-${turn}: y\r\n`)]);
    },
    judge: answered(400, 413, 431),
  },
  {
    name: 'fields without end',
    act: (attacker) => {
      attacker.send('GET / HTTP/1.1\r\nHost: a\r\n');
      attacker.flood((turn) => [Buffer.from(`X-${turn}: y\r\n`)]);
    },
    judge: answered(431),
  },
  {
    name: 'one field without end',
    act: (attacker) => {
      attacker.send('GET / HTTP/1.1\r\nHost: a\r\nX: ');
      attacker.flood(() => [Buffer.alloc(1000, 'v')]);
    },
    judge: answered(431),
  },
  {
    name: 'a request line without end',
    act: (attacker) => {
      attacker.send('GET /');
      attacker.flood(() => [Buffer.alloc(1000, 'p')]);
    },
    judge: answered(414),
  },
];

/** The last answer has one of these statuses. */
function answered(...statuses: readonly number[]): Attack['judge'] {
  return (said) => {
    const last = [...said.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3})/g)].at(-1)?.[1];
    assert.ok(statuses.includes(Number(last)), `the last status is ${last}, not ${statuses.join(' or ')}`);
  };
}
