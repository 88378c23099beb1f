import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import type { BoundariesReport, Drift } from '@heddle/boundaries';
import { StartedCli } from '../node/started-cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-boundaries-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const five = path.join(import.meta.dirname, '../../../../examples/boundaries/five-capabilities.yaml');

function file(name: string, text: string): string {
  const place = path.join(folder, name);
  writeFileSync(place, text);
  return place;
}

async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const cli = new StartedCli(['boundaries', ...args], { NO_COLOR: '1' });
  const code = await cli.exited;
  return { code, output: cli.output };
}

function span(
  service: string,
  id: string,
  parent: string,
  kind: number,
  attributes: Record<string, string>,
): string {
  const listed = (all: Record<string, string>): unknown =>
    Object.entries(all).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const spans = [
    { traceId: 't', spanId: id, parentSpanId: parent, name: id, kind, attributes: listed(attributes) },
  ];
  return JSON.stringify({
    resourceSpans: [
      { resource: { attributes: listed({ 'service.name': service }) }, scopeSpans: [{ spans }] },
    ],
  });
}

const writes = (table: string): Record<string, string> => ({
  'db.system': 'postgresql',
  'db.statement': `INSERT INTO ${table} VALUES (1)`,
});

const running = [
  span('order', '1', '', 2, { 'http.method': 'POST', 'http.route': '/orders' }),
  span('order', '2', '1', 3, writes('orders')),
  span('payment', '3', '1', 2, { 'rpc.service': 'Payments', 'rpc.method': 'Charge' }),
  span('payment', '4', '3', 3, writes('payments')),
];

describe('heddle boundaries', () => {
  test('analyses the five capabilities: text, JSON, Markdown, a page', async () => {
    const page = path.join(folder, 'page.html');
    const [text, json, markdown] = await Promise.all([
      run('analyse', five, '--html', page),
      run('analyse', five, '--json'),
      run('analyse', five, '--markdown', '--services', '2'),
    ]);
    assert.equal(text.code, 0, text.output);
    assert.match(text.output, /5 capabilities, 5 services[\s\S]*Alternatives/);
    const report = JSON.parse(json.output) as BoundariesReport;
    assert.equal(report.services.length, 5);
    assert.match(markdown.output, /^# Boundaries of five-capability shop\n\n5 capabilities, 2 services/);
    assert.match(readFileSync(page, 'utf8'), /^<!doctype html>[\s\S]*<svg/);
  });

  test('the literal rule is shown as what it is', async () => {
    const { code, output } = await run('analyse', five, '--compat', 'seed');
    assert.equal(code, 0);
    assert.match(
      output,
      /not to be followed[\s\S]*user-management-service +user_management, product_catalog +3\.50/,
    );
    assert.match(output, /average coupling 0\.32/);
  });

  test('all problems are told at once, with line and column', async () => {
    const wrong = file(
      'wrong.yaml',
      'capabilities:\n  - name: a\n    dependencies: [b]\n  - name: a\n  - nam: c\n',
    );
    const { code, output } = await run('analyse', wrong);
    assert.equal(code, 1);
    assert.match(output, /wrong\.yaml:3:20: capabilities\[0\]\.dependencies\[0\]: unknown capability "b"/);
    assert.match(
      output,
      /wrong\.yaml:4:11: capabilities\[1\]\.name: "a" is also the name of capabilities\[0\]/,
    );
    assert.match(output, /wrong\.yaml:5:10: capabilities\[2\]\.nam: unknown key "nam"/);
  });

  test('drift: a plan from traces, then a service that writes another one’s table', async () => {
    const before = file('before.jsonl', running.join('\n'));
    const today = await run('analyse', before, '--today');
    const plan = file('plan.json', today.output);
    const fine = await run('drift', before, '--plan', plan);
    assert.equal(fine.code, 0, fine.output);
    assert.match(fine.output, /as planned/);
    const later = file(
      'later.jsonl',
      [...running, span('order', '5', '1', 3, writes('payments'))].join('\n'),
    );
    const drifted = await run('drift', later, '--plan', plan, '--json');
    assert.equal(drifted.code, 1);
    const [worst] = JSON.parse(drifted.output) as Drift[];
    assert.deepEqual([worst?.kind, worst?.service, worst?.subject], ['foreign-write', 'order', 'payments']);
  });

  test('a folder of contracts and schemas, and a git history', async () => {
    const repository = mkdtempSync(path.join(folder, 'repository-'));
    const git = (...args: string[]): void => {
      execFileSync('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args]);
    };
    git('init', '-q');
    for (const round of ['1', '2']) {
      for (const name of ['a', 'b']) {
        execFileSync('mkdir', ['-p', path.join(repository, 'src', name)]);
        writeFileSync(
          path.join(repository, 'src', name, 'x.sql'),
          `CREATE TABLE ${name} (id int); -- ${round}\n`,
        );
      }
      git('add', '.');
      git('commit', '-qm', round);
    }
    const { code, output } = await run('analyse', '--git', repository, '--json');
    assert.equal(code, 0, output);
    const report = JSON.parse(output) as BoundariesReport;
    assert.deepEqual(report.services[0]?.capabilities, ['src/a', 'src/b']);
    assert.match(report.matrix.pairs[0]?.parts[0]?.evidence ?? '', /2 of 2 commits changed both/);
    const both = await run(
      'analyse',
      repository,
      path.join(import.meta.dirname, '../../../../examples/shop/proto'),
      '--json',
    );
    assert.equal(both.code, 0, both.output);
    const names = (JSON.parse(both.output) as BoundariesReport).matrix.capabilities;
    assert.ok(names.includes('OrderService') && names.includes('a'), names.join());
  });

  test('two proposals are compared', async () => {
    const plan = file('mine.yaml', 'services:\n  s: { capabilities: [a, b] }\n  t: { capabilities: [c] }\n');
    const other = file('other.rsf', 'contain x a\ncontain x b\ncontain y c\n');
    const { code, output } = await run('compare', plan, '--reference', other);
    assert.equal(code, 0, output);
    assert.match(output, /MoJoFM 100\.00 {2}ARI 1\.000/);
  });

  const mistakes: [string[], number, RegExp][] = [
    [[], 2, /needs "analyse", "compare" or "drift"/],
    [['analyse'], 2, /needs a file, a folder, --git or --running/],
    [['analyse', five, '--plan', 'x'], 2, /--plan belongs to "heddle boundaries drift"/],
    [['analyse', five, '--weights', 'tem=0'], 2, /--weights knows data, .* found "tem"/],
    [['analyse', five, '--weights', 'team=-1'], 2, /expects team=<number/],
    [['analyse', five, '--services', '0'], 2, /whole number of at least 1/],
    [['analyse', five, '--max-complexity', '5'], 1, /"payment_processing" alone has complexity 6/],
    [['analyse', five, '--compat', 'leaf'], 2, /knows "seed" only/],
    [['analyse', 'nowhere.yaml'], 1, /nowhere\.yaml cannot be read/],
    [['drift', five, '--plan', five], 1, /no capability says which service it is in/],
    [['compare', five], 2, /needs --reference/],
  ];
  for (const [args, expected, message] of mistakes) {
    test(`"${args.map((each) => path.basename(each)).join(' ')}" ends with ${expected}`, async () => {
      const { code, output } = await run(...args);
      assert.match(output, message);
      assert.equal(code, expected);
    });
  }
});
