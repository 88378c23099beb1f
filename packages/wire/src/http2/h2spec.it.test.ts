import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { h2spec } from '../../../../scripts/engines/h2spec.ts';
import { wholeBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import { served } from './testdata/over-sockets.ts';

let reason = '';
const binary = h2spec((why) => {
  reason = why;
});

test('h2spec finds no fault: generic, HTTP/2 and HPACK, strictly', {
  skip: binary === undefined ? reason : false,
  timeout: 120_000,
}, async () => {
  // It reads all, and answers with content: the suite looks at both.
  const server = await served(async ({ body }) => {
    await body.bytes(1_000_000);
    return { status: 200, fields: new Fields(), body: wholeBody(Buffer.from('hello')) };
  });
  const args = ['-h', '127.0.0.1', '-p', String(server.address.port), '-o', '5', '--strict'];
  const output = await new Promise<string>((resolve) => {
    execFile(binary ?? '', args, { timeout: 110_000 }, (_error, stdout) => resolve(stdout));
  });
  await server.stop();
  const [, tests, passed, skipped, failed] =
    /(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed/.exec(output) ?? [];
  assert.ok(Number(tests) >= 146, output.slice(-500));
  assert.deepEqual([passed, skipped, failed], [tests, '0', '0'], output);
});
