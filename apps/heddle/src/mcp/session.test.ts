import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import type { Command, World } from '../command.ts';
import { McpSession } from './session.ts';

const asked: string[][] = [];

const ls: Command = {
  name: 'ls',
  summary: 'List what is registered',
  words: 'services|instances [service]',
  options: {
    json: { type: 'boolean', help: 'As JSON' },
    registry: { type: 'string', value: 'URL', help: 'Which' },
  },
  examples: [],
  run: async (given, { terminal }) => {
    asked.push([...given.words, given.text('registry') ?? '', String(given.flag('json'))]);
    if (given.text('registry') === 'down')
      throw new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'the registry is down' });
    terminal.out('[]\n');
    return 0;
  },
};
const deregister: Command = { ...ls, name: 'deregister', words: '<service> <id>' };

const silent = { out: () => {}, err: () => {}, interactive: false, colours: false, width: 80 };
const commands = [ls, deregister];
const world: World = { terminal: silent, onSignal: () => {}, commands };

async function say(method: string, params: object, withChanges = false): Promise<Record<string, unknown>> {
  const session = new McpSession(commands, world, withChanges);
  const answer = await session.answer(JSON.stringify({ jsonrpc: '2.0', id: 7, method, params }));
  const { id, ...rest } = JSON.parse(answer ?? '') as Record<string, unknown>;
  assert.equal(id, 7);
  return rest;
}

describe('a session with a model', () => {
  test('begins with the version that the client speaks, or the newest that we do', async () => {
    const of = async (protocolVersion: string): Promise<unknown> =>
      ((await say('initialize', { protocolVersion }))['result'] as Record<string, unknown>)[
        'protocolVersion'
      ];
    assert.equal(await of('2024-11-05'), '2024-11-05');
    assert.equal(await of('1999-01-01'), '2025-06-18');
  });

  test('has the tools that read; those that change something on request', async () => {
    const names = async (withChanges: boolean): Promise<unknown> => {
      const { result } = await say('tools/list', {}, withChanges);
      return (result as { tools: { name: string }[] }).tools.map(({ name }) => name);
    };
    const reading = ['heddle_ls_services', 'heddle_ls_instances'];
    assert.deepEqual(await names(false), reading);
    assert.deepEqual(await names(true), [...reading, 'heddle_deregister']);
  });

  test('runs a command, with its output as the answer', async () => {
    const args = { words: ['--order'], registry: 'here' };
    const { result } = await say('tools/call', { name: 'heddle_ls_instances', arguments: args });
    assert.deepEqual(result, { content: [{ type: 'text', text: '[]\n' }], isError: false });
    assert.deepEqual(asked.at(-1), ['instances', '--order', 'here', 'true']);
  });

  test('answers what went wrong within a command as the tool’s own error', async () => {
    for (const [given, text] of [
      [{ registry: 'down' }, 'the registry is down'],
      [{ colour: 'red' }, "Unknown option '--colour'"],
    ] as const) {
      const { result } = await say('tools/call', { name: 'heddle_ls_services', arguments: given });
      const { content, isError } = result as { content: { text: string }[]; isError: boolean };
      assert.deepEqual([content[0]?.text, isError], [text, true]);
    }
  });

  test('refuses what it does not know, and is silent on notifications', async () => {
    const codeOf = async (line: string): Promise<unknown> => {
      const answer = await new McpSession(commands, world, false).answer(line);
      return answer === undefined
        ? undefined
        : (JSON.parse(answer) as { error: { code: number } }).error.code;
    };
    assert.equal(await codeOf('{'), -32_700);
    assert.equal(await codeOf('[]'), -32_600);
    assert.equal(await codeOf('null'), -32_600);
    assert.equal(await codeOf('{"jsonrpc":"2.0","id":1,"method":"resources/list"}'), -32_601);
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'heddle_deregister' } };
    assert.equal(await codeOf(JSON.stringify(call)), -32_602);
    assert.equal(await codeOf('{"jsonrpc":"2.0","method":"notifications/initialized"}'), undefined);
  });
});
