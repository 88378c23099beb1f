import type { Checked } from '../model/problem.ts';
import { type Capability, capabilityOf, type Relation, type System, systemOf } from '../model/system.ts';

/** How to read a history. */
export interface GitHistoryOptions {
  /** Whose files are known by their paths. Without any, each folder of that depth is a capability. */
  readonly capabilities?: readonly Capability[];
  /** How many folders deep. Default 2. */
  readonly depth?: number;
}

/** The format for `git log` that `readGitHistory` reads, with `--name-only`. */
export const gitLogFormat = '%x00';

/** A commit that changes more capabilities than this is a sweep, and says nothing of any two of them. */
const sweep = 12;

/**
 * Temporal coupling from the output of `git log --name-only --format=%x00`: the share of the commits that change
 * either of two capabilities that changes both, where at least two commits do.
 */
export function readGitHistory(log: string, options: GitHistoryOptions = {}): Checked<System> {
  const placeOf = placing(options);
  const changes = new Map<string, number>();
  const both = new Map<string, { a: string; b: string; commits: number }>();
  for (const commit of log.split('\u0000')) {
    const files = commit.split('\n').filter((line) => line.trim() !== '');
    const touched = [...new Set(files.map(placeOf).filter((place) => place !== undefined))].sort();
    if (touched.length > sweep) continue;
    for (const each of touched) changes.set(each, (changes.get(each) ?? 0) + 1);
    for (const [at, a] of touched.entries()) {
      for (const b of touched.slice(at + 1)) {
        const entry = both.get(`${a}\n${b}`) ?? { a, b, commits: 0 };
        entry.commits++;
        both.set(`${a}\n${b}`, entry);
      }
    }
  }
  if (changes.size === 0) {
    return {
      ok: false,
      problems: [{ path: [], message: 'no commit of the history changes a known capability' }],
    };
  }
  const relations = [...both.values()]
    .filter(({ commits }) => commits > 1)
    .map((pair) => changed(pair, changes));
  const capabilities =
    options.capabilities ?? [...changes.keys()].map((name) => capabilityOf({ name, paths: [name] }));
  return { ok: true, value: systemOf({ kind: 'parts', capabilities, relations }) };
}

function changed(
  { a, b, commits }: { a: string; b: string; commits: number },
  changes: ReadonlyMap<string, number>,
): Relation {
  const either = (changes.get(a) ?? 0) + (changes.get(b) ?? 0) - commits;
  const evidence = `${commits} of ${either} commits changed both`;
  return { criterion: 'temporal', a, b, value: commits / either, evidence };
}

function placing({ capabilities, depth = 2 }: GitHistoryOptions): (file: string) => string | undefined {
  if (capabilities === undefined) {
    return (file) => file.split('/').slice(0, -1).slice(0, depth).join('/') || undefined;
  }
  const places = capabilities.flatMap(({ name, paths }) => paths.map((path) => ({ name, path })));
  // The longest beginning is the closest.
  places.sort((x, y) => y.path.length - x.path.length);
  return (file) => places.find(({ path }) => file.startsWith(path))?.name;
}
