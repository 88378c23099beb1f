import { readRecording, rehearse as rehearseCalls, type Rehearsal } from '@heddle/mesh/rehearse';
import { acceptResources } from '@heddle/mesh/resources';
import { type Command, exitCodes, type Given, usageError } from '../command.ts';
import { readTextFile } from '../node/config-file.ts';
import { table } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { resourceFiles } from './mesh/resource-files.ts';
import { scopeOf, scopeOptions } from './mesh/scope-options.ts';

/** `heddle rehearse`. With `--expect-none` it fails (1) when any call would be treated otherwise. */
export const rehearse: Command = {
  name: 'rehearse',
  summary:
    'Replay recorded calls against changed rules: which would go elsewhere or be judged otherwise, and whose',
  words: '',
  options: {
    before: { type: 'string', value: 'PATH', help: 'The resources of now: a file or a folder' },
    after: { type: 'string', value: 'PATH', help: 'The resources of after the change' },
    calls: { type: 'string', value: 'FILE', help: 'Summaries of calls, a JSON object a line' },
    json: { type: 'boolean', help: 'As JSON: { calls, changed, differences }' },
    'expect-none': { type: 'boolean', help: 'Exit with 1 if anything changes' },
    ...scopeOptions,
  },
  examples: ['heddle rehearse --before deploy --after change --calls calls.jsonl'],
  run: async (given, { terminal }) => {
    const scope = scopeOf(given);
    const [before, after] = await Promise.all([
      resourceFiles([required(given, 'before')]),
      resourceFiles([required(given, 'after')]),
    ]);
    const calls = readRecording(readTextFile(required(given, 'calls'), 'recording'));
    const rehearsal = rehearseCalls(
      acceptResources(before, scope),
      acceptResources(after, scope),
      calls,
      scope,
    );
    terminal.out(
      given.flag('json') ? `${JSON.stringify(rehearsal, undefined, 2)}\n` : textOf(rehearsal, terminal),
    );
    return given.flag('expect-none') && rehearsal.changed > 0 ? exitCodes.failed : exitCodes.done;
  },
};

function required(given: Given, option: string): string {
  const text = given.text(option);
  if (text === undefined || text === '') throw usageError(`--${option} is needed`);
  return text;
}

function textOf({ calls, changed, differences }: Rehearsal, terminal: Terminal): string {
  const summary = `${changed} of ${calls} calls would be treated otherwise\n`;
  if (differences.length === 0) return summary;
  const rows = differences.map(({ calls: count, from, host, what, before, after, example }) => ({
    calls: String(count),
    from: from === '' ? '(outside)' : from,
    to: host,
    what,
    before,
    after,
    example,
  }));
  return `${table(rows, terminal.interactive ? terminal.width : undefined, ['example'])}${summary}`;
}
