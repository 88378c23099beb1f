// What the real command loads before it does anything: the help of all commands, completion and a mistyped name need no code of a command.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const mark = 'loaded ';
/** Says on standard error which files are loaded. */
const recorder = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  import { writeSync } from 'node:fs';
  registerHooks({
    load(url, context, next) {
      if (url.startsWith('file:')) writeSync(2, '${mark}' + url + '\\n');
      return next(url, context);
    },
  });
`)}`;

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** Files of the repository, from its root. */
  readonly loaded: readonly string[];
}

async function heddle(...args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [
    `--import=${recorder}`,
    '--conditions=@heddle/source',
    main,
    ...args,
  ]);
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [code, out, err] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  const root = new URL('../../../', import.meta.url).href;
  const lines = err.split('\n');
  const loaded = lines
    .filter((line) => line.startsWith(mark))
    .map((line) => line.slice(mark.length).replace(root, ''));
  assert.ok(loaded.includes('apps/heddle/src/main.ts'), err);
  return { code, out, err: lines.filter((line) => !line.startsWith(mark)).join('\n'), loaded };
}

/** The modules of commands that were loaded, but for those that say how a command is called. */
function commandModules({ loaded }: Ran): string[] {
  return loaded.filter((file) => file.startsWith('apps/heddle/src/commands/') && !file.endsWith('.usage.ts'));
}

function packages({ loaded }: Ran): Set<string> {
  return new Set(
    loaded
      .filter((file) => /^(packages|examples|node_modules)\//.test(file))
      .map((file) => file.split('/').slice(0, 2).join('/')),
  );
}

describe('the command loads', { timeout: 300_000 }, () => {
  for (const args of [
    ['--help'],
    ['help'],
    ['help', '--json'],
    ['--version'],
    ['ls', '--help'],
    ['help', 'ls'],
    [],
  ])
    test(`no code of a command for "heddle ${args.join(' ')}"`, async () => {
      const ran = await heddle(...args);
      assert.equal(ran.code, args.length === 0 ? 2 : 0, ran.err);
      assert.deepEqual(commandModules(ran), []);
      assert.deepEqual([...packages(ran)], ['packages/kernel']);
    });

  test('no code of a command for a name that there is not, and says which is meant', async () => {
    const ran = await heddle('gatway', '--port', '0');
    assert.equal(ran.code, 2);
    assert.match(ran.err, /there is no command "gatway"; did you mean "heddle gateway"\?\n$/);
    assert.deepEqual(commandModules(ran), []);
    assert.match((await heddle('frobnicate')).err, /; heddle --help lists them\n$/);
  });

  test('its own module for completion, which names every command', async () => {
    const ran = await heddle('completion', 'bash');
    assert.equal(ran.code, 0, ran.err);
    assert.deepEqual(commandModules(ran), ['apps/heddle/src/commands/completion.ts']);
    assert.deepEqual([...packages(ran)], ['packages/kernel']);
    assert.match(ran.out, /compgen -W "new add dev .* mcp help"/);
  });

  test('the code of the command that runs, and of no other', async () => {
    const ran = await heddle('route', 'explain', 'GET', '/', '--config', '/nowhere.yaml');
    assert.deepEqual(commandModules(ran), ['apps/heddle/src/commands/route.ts']);
  });
});

test('the version is that of the package', async () => {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  assert.equal((await heddle('--version')).out, `heddle ${version}\n`);
});

test('an option that is nearly one is told with that one', async () => {
  const { code, err } = await heddle('ls', 'services', '--jsno');
  assert.equal(code, 2);
  assert.match(err, /Unknown option '--jsno'; did you mean "--json"\? \(heddle ls --help says more\)/);
});
