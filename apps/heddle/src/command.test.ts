import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Command, readArguments } from './command.ts';
import { commandHelp, programHelp } from './help.ts';
import { requireNode } from './node/require-node.ts';

const command: Command = {
  name: 'serve',
  summary: 'Serve',
  words: '',
  options: {
    port: { type: 'string', value: 'PORT', help: 'Where' },
    fast: { type: 'boolean', help: 'Quickly' },
  },
  examples: ['heddle serve --port 0'],
  run: async () => 0,
};

describe('a command line', () => {
  test('is read by the options of the command', () => {
    const given = readArguments(command, ['--port', '81', '--fast']);
    assert.equal(given.port('port', 80), 81);
    assert.equal(given.flag('fast'), true);
    assert.equal(readArguments(command, []).port('port', 80), 80);
    assert.equal(readArguments(command, ['--port=0']).port('port', 80), 0);
    assert.deepEqual(readArguments({ ...command, words: '<name>' }, ['a', 'b']).words, ['a', 'b']);
  });

  for (const args of [['--prot', '1'], ['--port'], ['--fast=yes'], ['word'], ['-p', '1']]) {
    test(`"${args.join(' ')}" is a usage error`, () => {
      assert.throws(() => readArguments(command, args), { reason: 'USAGE' });
    });
  }

  for (const port of ['65536', '-1', 'http', '1.5', '']) {
    test(`"${port}" is no port`, () => {
      const given = readArguments(command, [`--port=${port}`]);
      assert.throws(() => given.port('port', 1), { reason: 'USAGE', message: /--port expects a port/ });
    });
  }
});

test('the help names every option, every example and the exit codes', () => {
  const help = commandHelp(command, 80);
  for (const part of ['--port PORT', '--fast', 'heddle serve --port 0', 'Exit codes: 0 done']) {
    assert.ok(help.includes(part), part);
  }
  assert.match(programHelp([{ title: 'Run it', commands: [command] }], 80), /Run it\n {2}serve {2}Serve/);
});

test('an old Node is refused by name', () => {
  for (const fine of ['24.18.1', '24.19.0', '26.5.1', '26.10.0', '28.0.0']) requireNode(fine);
  for (const old of ['20.20.2', '22.22.0', '24.18.0', '25.9.0', '26.5.0']) {
    assert.throws(() => requireNode(old), {
      reason: 'NODE_TOO_OLD',
      message: new RegExp(old.replaceAll('.', '\\.')),
    });
  }
});
