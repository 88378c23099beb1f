// Makes a step of test files: Node's test runner, with a machine-readable copy of its result to count from.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Step, Tally } from './steps.ts';

/** Whether the files share a process (fast, only for tests without side effects) or get one each. */
export type Isolation = 'none' | 'process';

/** A step that runs `files`, with `process` isolation two files at a time: most of their time is waiting. */
export function nodeTests(name: string, files: readonly string[], isolation: Isolation): Step {
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
    ...(isolation === 'process' ? ['--test-concurrency=2'] : []),
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${result}`,
    ...files,
  ];
  const tally = (): Tally => {
    const counted = readTap(result);
    rmSync(folder, { recursive: true, force: true });
    return counted;
  };
  return { name, command: process.execPath, args, tally };
}

function readTap(file: string): Tally {
  try {
    return parseTap(readFileSync(file, 'utf8'));
  } catch {
    // The runner fell over before it wrote anything; the exit code makes the step fail.
    return { passed: 0, failed: 0, failures: [], skipped: [] };
  }
}

/** Reads the closing counts of TAP and the names of failed and skipped tests; a "to do" counts as skipped, never as passed. */
export function parseTap(tap: string): Tally {
  const count = (what: string): number => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(tap)?.[1] ?? 0);
  const skipped = [...tap.matchAll(/^ *(?:not )?ok \d+ - (.*) # (?:SKIP|TODO)\b *(.*)$/gm)].map(
    ([, name = '', reason = '']) => (reason === '' ? name : `${name}: ${reason}`),
  );
  // The deepest name of each: a test that failed makes those that hold it fail too.
  const failures = [...tap.matchAll(/^( *)not ok \d+ - (?!.* # (?:SKIP|TODO)\b)(.*)$/gm)]
    .map(([, indent = '', name = '']) => ({ depth: indent.length, name }))
    .filter(({ depth }, index, all) => (all[index - 1]?.depth ?? 0) <= depth)
    .map(({ name }) => name);
  return { passed: count('pass'), failed: count('fail') + count('cancelled'), failures, skipped };
}
