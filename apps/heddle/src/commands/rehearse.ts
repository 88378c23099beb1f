import {
  readRecording,
  type RecordedCall,
  rehearse as rehearseCalls,
  type Rehearsal,
} from '@heddle/mesh/rehearse';
import { acceptResources, type ResourceFile } from '@heddle/mesh/resources';
import { translate } from '@heddle/mesh/translate';
import { type Command, exitCodes, type Given, usageError } from '../command.ts';
import { readTextFile } from '../node/config-file.ts';
import { type JaegerTrace, parentOf, tagOf } from '../observe/jaeger-trace.ts';
import { keptTraces } from '../observe/kept-traces.ts';
import { type CallSpan, tracedCalls } from '../rehearse/traced-calls.ts';
import { table } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { resourceFiles } from './mesh/resource-files.ts';
import { scopeOf } from './mesh/scope-options.ts';
import { rehearseUsage } from './rehearse.usage.ts';

/** `heddle rehearse`. With `--expect-none` it fails (1) when any call would be treated otherwise. */
export const rehearse: Command = {
  ...rehearseUsage,
  run: async (given, { terminal }) => {
    const scope = scopeOf(given);
    const [before, after] = await Promise.all([
      resourceFiles([required(given, 'before')]),
      resourceFiles([required(given, 'after')]),
    ]);
    const calls = await callsOf(given, before);
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

async function callsOf(given: Given, before: readonly ResourceFile[]): Promise<readonly RecordedCall[]> {
  const isPlaced = given.text('plane') !== undefined || given.text('data') !== undefined;
  if (isPlaced && !given.flag('running')) throw usageError('--plane and --data belong to --running');
  if (!given.flag('running')) return readRecording(readTextFile(required(given, 'calls'), 'recording'));
  if (given.text('calls') !== undefined) throw usageError('--calls and --running exclude each other');
  const scope = scopeOf(given);
  const model = translate(acceptResources(before, scope), scope);
  return tracedCalls((await keptTraces(given)).map(callSpans), model);
}

function callSpans({ spans, processes }: JaegerTrace): readonly CallSpan[] {
  return spans.map((span) => ({
    spanId: span.spanID,
    parentSpanId: parentOf(span),
    service: processes[span.processID]?.serviceName ?? '',
    isServer: tagOf(span, 'span.kind') === 'server',
    attribute: (key) => tagOf(span, key) || undefined,
  }));
}

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
