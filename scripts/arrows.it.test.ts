// Shows that .dependency-cruiser.mjs reports each forbidden import, and stays silent about the allowed ones next to it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from './files.ts';

const exportsOf: Record<string, string[]> = {
  kernel: ['index', 'node/index', 'deep'],
  wire: ['index'],
  traffic: ['index'],
  boundaries: ['index'],
  proxy: ['index', 'model/index'],
  mesh: ['index'],
  rpc: ['index'],
};

const forbidden: [what: string, file: string, source: string, rule: string][] = [
  ['kernel importing wire', 'packages/kernel/src/bad1.ts', `import '@heddle/wire';`, 'arrow-kernel'],
  ['kernel importing node:fs', 'packages/kernel/src/bad2.ts', `import 'node:fs';`, 'kernel-imports-nothing'],
  [
    'kernel importing a type of node:net',
    'packages/kernel/src/bad3.ts',
    `import type { Socket } from 'node:net';\nexport type S = Socket;`,
    'kernel-imports-nothing',
  ],
  [
    'traffic importing node:fs',
    'packages/traffic/src/bad4.ts',
    `import 'node:fs';`,
    'pure-parts-without-node',
  ],
  ['traffic importing wire', 'packages/traffic/src/bad5.ts', `import '@heddle/wire';`, 'arrow-traffic'],
  [
    'a test of traffic importing node:http',
    'packages/traffic/src/bad6.test.ts',
    `import 'node:http';`,
    'tests-of-pure-parts',
  ],
  [
    'boundaries importing kernel',
    'packages/boundaries/src/bad7.ts',
    `import '@heddle/kernel';`,
    'arrow-boundaries',
  ],
  [
    'mesh importing proxy beyond its model',
    'packages/mesh/src/bad8.ts',
    `import '@heddle/proxy';`,
    'arrow-mesh',
  ],
  ['proxy importing rpc', 'packages/proxy/src/bad9.ts', `import '@heddle/rpc';`, 'arrow-proxy'],
  [
    'a path that exports does not list',
    'packages/wire/src/bad10.ts',
    `import '@heddle/kernel/src/deep.ts';`,
    'resolvable',
  ],
  [
    'a relative path into another package',
    'packages/wire/src/bad11.ts',
    `import '../../kernel/src/deep.ts';`,
    'through-the-exports',
  ],
  [
    'an app reaching into a package',
    'apps/heddle/src/bad12.ts',
    `import '../../../packages/kernel/src/deep.ts';`,
    'through-the-exports',
  ],
  [
    'a package importing an app',
    'packages/wire/src/bad13.ts',
    `import '../../../apps/heddle/src/main.ts';`,
    'no-app-in-a-package',
  ],
  ['a cycle', 'packages/wire/src/bad14.ts', `import './cycle.ts';\nexport const a = 1;`, 'no-cycles'],
  [
    'a package that no arrow names',
    'packages/novel/src/bad15.ts',
    `import '@heddle/kernel';`,
    'arrow-unlisted-package',
  ],
];

const allowed: [file: string, source: string][] = [
  ['packages/kernel/src/node/good.ts', `import 'node:net';\nimport '../index.ts';`],
  [
    'packages/kernel/src/good.test.ts',
    `import 'node:test';\nimport 'node:assert/strict';\nimport './index.ts';`,
  ],
  [
    'packages/wire/src/good.ts',
    `import '@heddle/kernel';\nimport '@heddle/kernel/node';\nimport 'node:zlib';`,
  ],
  ['packages/mesh/src/good.ts', `import '@heddle/proxy/model';\nimport '@heddle/kernel';`],
  ['apps/heddle/src/good.ts', `import '@heddle/mesh';\nimport '@heddle/rpc';\nimport './main.ts';`],
];

describe('the arrows between the parts', () => {
  let folder = '';
  let found: Violation[] = [];

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'heddle-arrows-'));
    for (const [name, files] of Object.entries(exportsOf)) plantPackage(folder, name, files);
    plant(folder, 'apps/heddle/package.json', JSON.stringify({ name: 'heddle', type: 'module' }));
    plant(folder, 'apps/heddle/src/main.ts', 'export const main = 1;');
    for (const [, file, source] of forbidden) plant(folder, file, source);
    for (const [file, source] of allowed) plant(folder, file, source);
    plant(folder, 'packages/wire/src/cycle.ts', `import './bad14.ts';`);
    found = cruise(folder);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [what, file, , rule] of forbidden) {
    it(`reports ${what}`, () => {
      const rules = found
        .filter((violation) => violation.from === file)
        .map((violation) => violation.rule.name);
      assert.ok(rules.includes(rule), `expected ${rule}, got ${JSON.stringify(rules)}`);
    });
  }

  for (const [file, source] of allowed) {
    it(`accepts ${source.replaceAll('\n', ' ')} in ${file}`, () => {
      assert.deepEqual(
        found.filter((violation) => violation.from === file),
        [],
      );
    });
  }
});

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

function cruise(folder: string): Violation[] {
  const config = path.join(root, '.dependency-cruiser.mjs');
  const tool = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [tool, '--config', config, '--output-type', 'json', 'packages', 'apps'];
  const done = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  const { summary } = JSON.parse(done.stdout) as { summary: { violations: Violation[] } };
  return summary.violations.map(({ from, to, rule }) => ({ from, to, rule }));
}

function plantPackage(folder: string, name: string, files: readonly string[]): void {
  const exported = files.filter((file) => file.endsWith('index'));
  const entries = exported.map((file) => {
    const key = file === 'index' ? '.' : `./${path.dirname(file)}`;
    return [key, { '@heddle/source': `./src/${file}.ts`, default: `./dist/${file}.js` }];
  });
  const manifest = {
    name: `@heddle/${name}`,
    type: 'module',
    exports: Object.fromEntries(entries) as unknown,
  };
  plant(folder, `packages/${name}/package.json`, JSON.stringify(manifest));
  for (const file of files) plant(folder, `packages/${name}/src/${file}.ts`, 'export const x = 1;');
  mkdirSync(path.join(folder, 'node_modules/@heddle'), { recursive: true });
  symlinkSync(`../../packages/${name}`, path.join(folder, 'node_modules/@heddle', name));
}

function plant(folder: string, file: string, text: string): void {
  const full = path.join(folder, file);
  mkdirSync(path.dirname(full), { recursive: true });
  writeFileSync(full, `${text}\n`);
}
