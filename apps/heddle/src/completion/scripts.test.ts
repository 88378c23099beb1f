import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from '../command.ts';
import { completionScript, knownWords, shells } from './scripts.ts';

const patterns: readonly (readonly [pattern: string, words: readonly string[]])[] = [
  ['', []],
  ['<name>', []],
  ['[file]', []],
  ['[requests|logs]', ['requests', 'logs']],
  ['services|instances [service]', ['services', 'instances']],
  ['<trace id | correlation id>', []],
  ['<trace or correlation id> | failures | layers [service]', ['failures', 'layers']],
  ['list | show|history PLACE | set PLACE key=value…', ['list', 'show', 'history', 'set']],
];

for (const [pattern, words] of patterns)
  test(`of "${pattern}" the words ${words.join(', ')} are known`, () => {
    assert.deepEqual(knownWords(pattern), words);
  });

const paint: Command = {
  name: 'paint',
  summary: "The painter's command",
  words: 'wall|door',
  options: { colour: { type: 'string', value: 'NAME', help: 'One of: [red]' } },
  examples: [],
  run: async () => 0,
};

for (const shell of shells)
  test(`the script for ${shell} names commands, words and options`, () => {
    const script = completionScript(shell, [paint]);
    for (const part of ['paint', 'wall', 'door', 'colour', 'help']) assert.ok(script.includes(part), part);
  });
