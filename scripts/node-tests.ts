// Makes a step of test files: Node's test runner, with a machine-readable copy of its result to count from.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './files.ts';
import { nothing, type Step, type Tally } from './steps.ts';

/** Whether the files share a process (fast, only for tests without side effects) or get one each. */
export type Isolation = 'none' | 'process';

/** More files than this failing at once is not the load of a machine. */
const mostAgain = 8;

/**
 * A step that runs `files`, with `process` isolation two files at a time (`atOnce`): most of their time is waiting.
 * Those of them that fail run once more, one at a time.
 */
export function nodeTests(
  name: string,
  files: readonly string[],
  isolation: Isolation,
  atOnce: 1 | 2 = 2,
): Step {
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-tests-'));
  const result = path.join(folder, 'result.tap');
  const args = [
    '--conditions=@heddle/source',
    '--import',
    './scripts/property-seed.ts',
    '--test',
    `--test-isolation=${isolation}`,
    // A test that waits for something that never comes fails by name, long before its step is stopped.
    '--test-timeout=120000',
    ...(isolation === 'process' ? [`--test-concurrency=${atOnce}`] : []),
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${result}`,
    ...files,
  ];
  let failed: readonly string[] = [];
  const tally = (): Tally => {
    const tap = readTap(result);
    failed = failedFiles(tap, files);
    rmSync(folder, { recursive: true, force: true });
    return parseTap(tap);
  };
  const again = (): Step[] =>
    isolation === 'none' || atOnce === 1 || failed.length === 0 || failed.length > mostAgain
      ? []
      : [nodeTests(`${name}, again`, failed, isolation, 1)];
  return { name, command: process.execPath, args, tally, again };
}

/** Empty when the runner fell over before it wrote anything; the exit code makes the step fail. */
function readTap(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Those of `files` with a test that failed; none at all when one of them cannot be told, as for a test that another
 * file defines.
 */
export function failedFiles(tap: string, files: readonly string[]): readonly string[] {
  const failed = new Set<string>();
  for (const [, rest = ''] of tap.matchAll(/^ *not ok \d+ - (?!.* # (?:SKIP|TODO)\b).*\n((?: +.*\n?)*)/gm)) {
    const place = /^ +location: '(.*?):\d+:\d+'$/m.exec(rest)?.[1];
    const file = files.find((one) => place === path.resolve(root, one));
    if (file === undefined) return [];
    failed.add(file);
  }
  return [...failed];
}

/** A name with the beginning of what TAP says of its failure: the end of a log is all that some will see of it. */
function withReason(name: string, rest: string): string {
  const reason = /^ +error: (?:\|-?\n)?([\s\S]*?)^ +(?:code|name|stack|\.\.\.)/m.exec(rest)?.[1];
  return reason === undefined ? name : `${name} (${reason.replaceAll(/\s+/g, ' ').trim().slice(0, 240)})`;
}

/** Reads the closing counts of TAP and the names of failed and skipped tests; a "to do" counts as skipped, never as passed. */
export function parseTap(tap: string): Tally {
  const count = (what: string): number => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(tap)?.[1] ?? 0);
  const skipped = [...tap.matchAll(/^ *(?:not )?ok \d+ - (.*) # (?:SKIP|TODO)\b *(.*)$/gm)].map(
    ([, name = '', reason = '']) => (reason === '' ? name : `${name}: ${reason}`),
  );
  // The deepest name of each: a test that failed makes those that hold it fail too.
  const failures = [
    ...tap.matchAll(/^( *)not ok \d+ - (?!.* # (?:SKIP|TODO)\b)(.*)\n(\1 {2}---\n[^]*?^\1 {2}\.\.\.$)?/gm),
  ]
    .map(([, indent = '', name = '', rest = '']) => ({ depth: indent.length, named: withReason(name, rest) }))
    .filter(({ depth }, index, all) => (all[index - 1]?.depth ?? 0) <= depth)
    .map(({ named }) => named);
  return {
    ...nothing,
    passed: count('pass'),
    failed: count('fail') + count('cancelled'),
    failures,
    skipped,
  };
}
