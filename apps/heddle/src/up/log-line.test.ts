import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readableLine } from './log-line.ts';

for (const [line, expected] of [
  ['plain text', 'plain text'],
  ['{"level":"info","message":"ready","url":"http://x"}', 'ready'],
  [
    '{"level":"error","message":"could not start","reason":"R","error":"the port is taken"}',
    'could not start: the port is taken',
  ],
  [
    '{"level":"error","message":"the configuration is wrong","problems":"A is missing"}',
    'the configuration is wrong: A is missing',
  ],
  ['{"message":"oops","error":{"name":"E","message":"m","stack":"E: m\\n    at x"}}', 'oops: E: m\n    at x'],
  ['{"message":"oops","error":{"name":"E","message":"m"}}', 'oops: m'],
  ['{"requests":{"sent":1}}', '{"requests":{"sent":1}}'],
  ['null', 'null'],
  ['7', '7'],
] as const) {
  test(`a line ${line.slice(0, 40)}`, () => assert.equal(readableLine(line), expected));
}
