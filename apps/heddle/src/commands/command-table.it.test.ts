// Every command of the program: its help, its examples, its options, and what shells are told of them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Command, readArguments } from '../command.ts';
import { commandHelp } from '../help.ts';
import { StartedCli } from '../node/started-cli.ts';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const shopRoutes = fileURLToPath(new URL('../../../../examples/shop/gateway.yaml', import.meta.url));

interface Answer {
  readonly id: number;
  readonly result: {
    readonly tools?: readonly { readonly name: string }[];
    readonly content?: readonly { readonly text: string }[];
    readonly isError?: boolean;
  };
}

async function printed(...args: readonly string[]): Promise<string> {
  const started = new StartedCli(args);
  assert.equal(await started.exited, 0, started.output);
  return started.output;
}

/** The words of each line as a shell would split it, without what redirects or comments: one shell for all of them. */
async function shellWords(lines: readonly string[]): Promise<string[][]> {
  const printed = lines.map((line) => {
    const text = line.replace(/ [<>] ?\S+/g, '').replace(/<\((.*?)\)/g, 'file');
    return `printf '%s\\0' ${text.replaceAll('…', 'x')}\nprintf '\\n\\0'`;
  });
  const { stdout } = await run('bash', ['-c', ['set -f', ...printed].join('\n')]);
  return stdout
    .split('\n\0')
    .slice(0, -1)
    .map((words) => words.split('\0').slice(0, -1));
}

describe('the table of commands', { timeout: 600_000 }, () => {
  let commands: Command[] = [];

  before(async () => {
    const rows = JSON.parse(await printed('help', '--json')) as Omit<Command, 'run'>[];
    commands = rows.map((row) => ({ ...row, run: async () => 0 }));
    assert.ok(commands.length >= 24);
  });

  test('has names in small letters, once each, and summaries that are a clause', () => {
    const names = commands.map(({ name }) => name);
    assert.deepEqual(names, [...new Set(names)]);
    for (const { name, summary } of commands) {
      assert.match(name, /^[a-z][a-z-]*$/);
      assert.match(summary, /^[A-Z].{8,}[^.]$/, name);
    }
  });

  test('has options that say what they take', () => {
    for (const { name, options } of commands)
      for (const [option, { type, value, help }] of Object.entries(options)) {
        const where = `${name} --${option}`;
        assert.match(option, /^[a-z][a-z-]*$/, where);
        assert.equal(value !== undefined, type === 'string', `${where}: a value has a name, a flag has none`);
        assert.match(help, /^\S.{3,}[^.]$/, where);
      }
  });

  test('has a help for each, with usage, options, examples and exit codes', () => {
    for (const command of commands) {
      const help = commandHelp(command, 400);
      assert.ok(help.includes(`Usage: heddle ${command.name}`), command.name);
      for (const option of Object.keys(command.options)) assert.ok(help.includes(`  --${option}`), option);
      for (const example of command.examples) assert.ok(help.includes(example), example);
      assert.match(help, /Exit codes: 0 done, 1 failed, 2 wrong usage/);
    }
  });

  test('has examples of each that its own options read', async () => {
    const examples = commands.flatMap((command) => {
      assert.ok(command.examples.length > 0, `${command.name} has no example`);
      return command.examples.map((example) => ({ command, example }));
    });
    // What comes behind a pipe is another program's.
    const typed = examples.map(
      ({ example }) => example.replace(/^source <\((.*)\)$/, '$1').split(' | ')[0] ?? '',
    );
    const split = await shellWords(typed);
    assert.equal(split.length, examples.length);
    for (const [index, { command, example }] of examples.entries()) {
      const words = split[index] ?? [];
      const at = words.indexOf('heddle');
      assert.deepEqual(words.slice(at, at + 2), ['heddle', command.name], example);
      readArguments(command, words.slice(at + 2));
    }
  });

  test('has --json on every command that reads', () => {
    // The others change something, run until they are stopped, or print what another program reads.
    const others =
      /^(up|clean|gateway|control-plane|register|deregister|drain|shop|postgres|dev|completion|mcp|sidecar|inject|apply|rollback|rollout|export)$/;
    const without = commands.filter(
      ({ name, options }) => !others.test(name) && options['json'] === undefined,
    );
    assert.deepEqual(
      without.map(({ name }) => name),
      [],
    );
  });

  test('is the help of the program, which the real command prints; a wrong one ends with 2', async () => {
    const help = await printed('--help');
    for (const { name } of commands) assert.match(help, new RegExp(`^  ${name} `, 'm'));
    const wrong = new StartedCli(['ls', '--colour']);
    assert.equal(await wrong.exited, 2);
    assert.match(wrong.output, /heddle ls --help says more/);
  });

  test('is what bash completes', async () => {
    const script = await printed('completion', 'bash');
    const complete = async (...words: readonly string[]): Promise<string[]> => {
      const typed = ['heddle', ...words].map((word) => `'${word}'`).join(' ');
      const ask = `${script}\nCOMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _heddle; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return (await run('bash', ['-c', ask])).stdout.split('\n').filter((line) => line !== '');
    };
    const names = commands.map(({ name }) => name);
    assert.deepEqual(await complete(''), [...names, 'help']);
    assert.deepEqual(await complete('ls', ''), ['services', 'instances', 'proxies']);
    assert.deepEqual(await complete('ls', 'services', '--j'), ['--json']);
    assert.deepEqual(await complete('drai'), ['drain']);
  });

  test('is what a model gets as tools, over standard input and output', async () => {
    const requests = [
      { id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18' } },
      { id: 2, method: 'tools/list' },
      {
        id: 3,
        method: 'tools/call',
        params: { name: 'heddle_ls_services', arguments: { registry: 'paint' } },
      },
      {
        id: 4,
        method: 'tools/call',
        params: {
          name: 'heddle_route_explain',
          arguments: { words: ['GET', '/products'], config: shopRoutes },
        },
      },
    ];
    const lines = requests.map((each) => JSON.stringify({ jsonrpc: '2.0', ...each })).join('\n');
    const child = execFile(process.execPath, ['--conditions=@heddle/source', main, 'mcp']);
    child.stdin?.end(`${lines}\n`);
    let text = '';
    for await (const chunk of child.stdout ?? []) text += String(chunk);
    const answers = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Answer);
    assert.deepEqual(
      answers.map(({ id }) => id),
      [1, 2, 3, 4],
    );
    const tools = answers[1]?.result.tools?.map(({ name }) => name) ?? [];
    assert.ok(tools.includes('heddle_saga_list') && !tools.includes('heddle_saga_retry'), tools.join(' '));
    assert.equal(answers[2]?.result.isError, true);
    assert.equal(answers[3]?.result.isError, false, text);
    const explained = JSON.parse(answers[3]?.result.content?.[0]?.text ?? '') as {
      routes: { verdict: string }[];
    };
    assert.equal(explained.routes.filter(({ verdict }) => verdict === 'taken').length, 1);
  });
});
