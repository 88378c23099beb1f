// For each house rule: a violation that it reports with file and line, and a near miss that it must not report.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { root } from './files.ts';
import { look, rules } from './house-rules/look.ts';

const product = 'packages/wire/src/frame.ts';
const unit = 'packages/wire/src/frame.test.ts';
const integration = 'packages/wire/src/frame.it.test.ts';
const long = (lines: number): string => 'a();\n'.repeat(lines);
// Put together here, because this file is under the rules too.
const home = `/${'root'}/`;
const note = `TO${'DO'}`;

/** The source is planted below two lines of comment, so the violation is on line 3 unless `line` says otherwise. */
interface Case {
  readonly rule: string;
  readonly path?: string;
  readonly source: string;
  readonly line?: number;
}

const violations: Case[] = [
  { rule: 'ports', source: `const now = Date.now();` },
  { rule: 'ports', source: `const now = new Date();` },
  { rule: 'ports', source: `const now = Date();` },
  { rule: 'ports', source: `const now = Temporal.Now.instant();` },
  { rule: 'ports', source: `const now = globalThis.performance.now();` },
  { rule: 'ports', source: `const now = process.hrtime.bigint();` },
  { rule: 'ports', source: `const x = Math.random();` },
  { rule: 'ports', source: `setTimeout(f, 1);` },
  { rule: 'ports', source: `const later = { run: setImmediate };` },
  { rule: 'ports', source: `globalThis.setInterval(f, 1);` },
  { rule: 'ports', source: `const id = crypto.randomUUID();` },
  { rule: 'ports', source: `import { randomBytes as bytes } from 'node:crypto';` },
  { rule: 'ports', source: `import net from 'node:net';` },
  { rule: 'ports', source: `import { readFile } from 'fs/promises';` },
  { rule: 'ports', source: `const http2 = await import('node:http2');` },
  { rule: 'ports', source: `export { Worker } from 'node:worker_threads';` },
  { rule: 'ports', path: unit, source: `import net from 'node:net';` },
  { rule: 'ports', path: 'examples/shop/src/cart.ts', source: `const x = Math.random();` },
  { rule: 'no-abort-signal-any', source: `const both = AbortSignal.any([a, b]);` },
  { rule: 'no-default-export', source: `export default function frame(): void {}` },
  { rule: 'no-default-export', source: `const frame = 1;export { frame as default };` },
  { rule: 'no-default-export', source: `export default 1;` },
  { rule: 'no-catch-all-names', path: 'packages/wire/src/utils.ts', source: `const a = 1;`, line: 1 },
  { rule: 'no-catch-all-names', path: 'packages/wire/src/helpers/frame.ts', source: `const a = 1;`, line: 1 },
  { rule: 'no-empty-suffix', source: `/** A. */ export class FrameManager {}` },
  { rule: 'no-empty-suffix', source: `/** A. */ export interface FrameImpl {}` },
  { rule: 'no-interface-prefix', source: `interface IFrame {}` },
  { rule: 'documented-exports', source: `export function frame(): void {}` },
  { rule: 'documented-exports', source: `// not a doc comment\nexport const frame = 1;`, line: 4 },
  { rule: 'documented-exports', source: `export type Frame = string;` },
  { rule: 'file-size', source: long(501), line: 1 },
  { rule: 'function-size', source: `function f() {\n${long(79)}}` },
  {
    rule: 'no-sleeping-tests',
    path: integration,
    source: `await new Promise((done) => setTimeout(done, 50));`,
  },
  {
    rule: 'no-sleeping-tests',
    path: integration,
    source: `import { setTimeout as delay } from 'node:timers/promises';\nawait delay(100);`,
    line: 4,
  },
  { rule: 'no-skipped-tests', path: unit, source: `it.skip('frames', f);` },
  { rule: 'no-skipped-tests', path: unit, source: `describe.only('frames', f);` },
  { rule: 'no-skipped-tests', path: unit, source: `test.todo('frames');` },
  { rule: 'no-skipped-tests', path: unit, source: `test('frames', { skip: 'later' }, f);` },
  { rule: 'no-machine-paths', path: 'docs/start.md', source: `cd ${home}heddle` },
  { rule: 'no-machine-paths', source: `const at = '${home}heddle';` },
  { rule: 'no-leftovers', source: `// ${note}: frames` },
  { rule: 'no-leftovers', path: 'deploy/heddle.yaml', source: `# ${note} frames` },
  {
    rule: 'portable-lockfile',
    path: 'package-lock.json',
    source: `"resolved": "https://registry.example/a.tgz"`,
  },
];

const nearMisses: Case[] = [
  { rule: 'ports', source: `const now = clock.now(); const d = new Date(0); const t = Date.UTC(2026);` },
  { rule: 'ports', source: `timers.setTimeout(f, 1); // not Date.now(), not Math.random()` },
  { rule: 'ports', source: `const text = 'Date.now() setTimeout(f, 1) node:net';` },
  { rule: 'ports', source: `import { setTimeout } from './wheel.ts';\nsetTimeout(f, 1);` },
  { rule: 'ports', source: `interface Timers { setTimeout(f: () => void): void }` },
  {
    rule: 'ports',
    source: `import { createHash } from 'node:crypto'; import { Buffer } from 'node:buffer';`,
  },
  { rule: 'ports', path: 'packages/kernel/src/node/clock.ts', source: `const now = Date.now();` },
  { rule: 'ports', path: integration, source: `import net from 'node:net';` },
  { rule: 'ports', path: unit, source: `import { readFileSync } from 'node:fs';` },
  { rule: 'ports', path: 'examples/shop/src/cart.ts', source: `import http from 'node:http';` },
  { rule: 'no-abort-signal-any', source: `const all = Promise.any([a, b]); AbortSignal.timeout(1);` },
  { rule: 'no-default-export', source: `/** A. */ export const a = 1; switch (a) { default: b(); }` },
  { rule: 'no-default-export', path: 'apps/console/vite.config.ts', source: `export default {};` },
  { rule: 'no-catch-all-names', path: 'packages/wire/src/common-name.ts', source: `const a = 1;` },
  { rule: 'no-empty-suffix', source: `/** A. */ export class Database {}\nclass FrameManager {}` },
  {
    rule: 'no-interface-prefix',
    source: `interface IPv4Address {}\ninterface Identity {}\ninterface IOError {}`,
  },
  {
    rule: 'documented-exports',
    source: `/** A. */\nexport const a = 1;\nexport { b } from './b.ts';\nfunction c() {}`,
  },
  {
    rule: 'documented-exports',
    source: `/** A. */\nexport function f(): void;\nexport function f(a?: 1): void {}`,
  },
  { rule: 'documented-exports', path: 'apps/heddle/src/frame.ts', source: `export const a = 1;` },
  { rule: 'file-size', source: long(498) },
  { rule: 'file-size', source: `// Long because it is one table.\n${long(600)}` },
  { rule: 'file-size', path: 'packages/wire/src/gen/frame.ts', source: long(600) },
  { rule: 'function-size', source: `function f() {\n${long(78)}}` },
  { rule: 'function-size', path: unit, source: `describe('frames', () => {\n${long(100)}});` },
  {
    rule: 'no-sleeping-tests',
    path: integration,
    source: `await new Promise((done) => setTimeout(done, 49));`,
  },
  { rule: 'no-sleeping-tests', path: unit, source: `timers.setTimeout(f, 100); simulated.sleep(100);` },
  { rule: 'no-sleeping-tests', source: `setTimeout(f, 100);` },
  { rule: 'no-skipped-tests', path: unit, source: `t.skip('no engine here'); list.skip(3); it('skip', f);` },
  {
    rule: 'no-skipped-tests',
    path: unit,
    source: `test('frames', { skip: absent }, f); page({ skip: true });`,
  },
  { rule: 'no-machine-paths', source: `const a = 'https://example.org${home}'; const b = './art${home}';` },
  { rule: 'no-leftovers', source: `const state = '${note}'; const toDo = 1;` },
  { rule: 'portable-lockfile', path: 'package-lock.json', source: `"resolved": "packages/kernel"` },
];

describe('house rules', () => {
  for (const { rule, path: file = product, source, line = 3 } of violations) {
    it(`${rule} reports ${JSON.stringify(source.slice(0, 60))} in ${file}`, () => {
      const found = look(file, `// head\n//\n${source}\n`).filter((finding) => finding.rule === rule);
      const places = found.map((finding) => `${finding.path}:${finding.line}`);
      assert.deepEqual(places, [`${file}:${line}`]);
    });
  }

  for (const { rule, path: file = product, source } of nearMisses) {
    it(`${rule} accepts ${JSON.stringify(source.slice(0, 60))} in ${file}`, () => {
      const found = look(file, `// head\n${source}\n`).filter((finding) => finding.rule === rule);
      assert.deepEqual(found, []);
    });
  }

  it('have a violation and a near miss each', () => {
    for (const cases of [violations, nearMisses]) {
      const covered = new Set(cases.map((each) => each.rule));
      assert.deepEqual(
        rules.map((rule) => rule.name).filter((name) => !covered.has(name)),
        [],
      );
    }
  });

  it('stand in CONTRIBUTING.md as they are', () => {
    const page = readFileSync(path.join(root, 'CONTRIBUTING.md'), 'utf8');
    const missing = rules.filter((rule) => !page.includes(`| ${rule.name} | ${rule.why} |`));
    assert.deepEqual(missing, [], 'print the table with `node scripts/house-rules.ts --table`');
  });
});
