import { type Analysis, analyze as analyzeMesh } from '@heddle/mesh/analyze';
import type { Finding } from '@heddle/mesh/resources';
import { type Command, exitCodes, usageError } from '../command.ts';
import { paint, type Terminal } from '../terminal/terminal.ts';
import { resourceFiles } from './mesh/resource-files.ts';
import { scopeOf } from './mesh/scope-options.ts';
import { analyzeUsage } from './analyze.usage.ts';

/** `heddle analyze`. Fails (1) when a finding is as severe as `--fail-on` says, errors where it says nothing. */
export const analyze: Command = {
  ...analyzeUsage,
  run: async (given, { terminal }) => {
    const threshold = severityOf(given.text('fail-on') ?? 'error');
    const files = await resourceFiles(given.words, given.text('stdin-name'));
    const analysis = analyzeMesh(files, { ...scopeOf(given), partial: given.flag('partial') });
    if (given.flag('json')) {
      terminal.out(`${JSON.stringify(analysis, undefined, 2)}\n`);
    } else {
      terminal.out(textOf(analysis, given.flag('info'), given.flag('explain'), terminal));
    }
    const severe = analysis.findings.some(({ severity }) => severities.indexOf(severity) <= threshold);
    return severe ? exitCodes.failed : exitCodes.done;
  },
};

const severities: readonly Finding['severity'][] = ['error', 'warning', 'info'];
const colours = { error: 'red', warning: 'yellow', info: 'cyan' } as const;

function severityOf(written: string): number {
  const at = severities.findIndex((each) => each === written);
  if (at < 0) throw usageError(`--fail-on expects error, warning or info, found "${written}"`);
  return at;
}

function textOf(
  { findings, objects, others }: Analysis,
  info: boolean,
  explain: boolean,
  terminal: Terminal,
): string {
  const shown = findings.filter(({ severity }) => info || severity !== 'info');
  const count = (wanted: Finding['severity'], words: readonly [string, string]): string => {
    const number = findings.filter(({ severity }) => severity === wanted).length;
    return `${number} ${number === 1 ? words[0] : words[1]}`;
  };
  const summary = [
    `${objects} ${objects === 1 ? 'object' : 'objects'}${others === 0 ? '' : ` (and ${others} of others)`}`,
    count('error', ['error', 'errors']),
    count('warning', ['warning', 'warnings']),
    count('info', ['note', 'notes']) +
      (info || shown.length === findings.length ? '' : ' (--info shows them)'),
  ];
  return [...shown.flatMap((each) => linesOf(each, explain, terminal)), `${summary.join(', ')}`, ''].join(
    '\n',
  );
}

function linesOf(finding: Finding, explain: boolean, terminal: Terminal): readonly string[] {
  const { file, line, column, severity, code, object, field, message, explanation, fix } = finding;
  const name = object === undefined ? '' : `${object.kind} ${object.namespace}/${object.name}: `;
  const place = field === '' ? '' : paint(terminal, 'dim', ` (${field})`);
  return [
    `${file}:${line}:${column}: ${paint(terminal, colours[severity], severity)} ${code}: ${name}${message}${place}`,
    ...(explain ? [`    ${explanation}`] : []),
    `    ${paint(terminal, 'dim', fix)}`,
  ];
}
