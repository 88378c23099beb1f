// Writes a report into docs/performance.md, so that no number there is made by hand.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type BenchReport, type BenchResult, machineOf, rounded } from './report.ts';

const introduction = `# Performance

Every table here is written by \`npm run bench -- <area> --write-docs\` and by nothing else. All subjects of a table ran
in the same minutes on the same machine, turn by turn, after turns that warm up and do not count; numbers are medians.
Ratios above 1 mean that Heddle is better.
Absolute numbers of another machine differ; ratios differ less.
`;

/** Replaces the section of the report's area in the file, or adds it at the end. */
export function writeDocument(file: string, report: BenchReport): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const old = existsSync(file) ? readFileSync(file, 'utf8') : introduction;
  writeFileSync(file, withSection(old, report));
}

/** The text with the section of that area replaced or added. */
export function withSection(text: string, report: BenchReport): string {
  const [from, to] = [`<!-- bench ${report.area} -->`, `<!-- /bench ${report.area} -->`];
  const section = `${from}\n${sectionOf(report)}${to}\n`;
  const start = text.indexOf(from);
  const end = text.indexOf(to);
  if (start < 0 || end < 0) return `${text.trimEnd()}\n\n${section}`;
  return text.slice(0, start) + section + text.slice(end + to.length).replace(/^\n/, '');
}

function sectionOf(report: BenchReport): string {
  const skipped = report.skipped.map(({ name, peer, reason }) => `- ${name} beside ${peer}: ${reason}`);
  return [
    `## ${report.area}`,
    '',
    `${machineOf(report)}.`,
    '',
    '| measurement | unit | heddle | peer | its value | ratio | per second, heddle / peer | goal |',
    '|---|---|---:|---|---:|---:|---:|---|',
    ...report.results.map(lineOf),
    '',
    ...(skipped.length === 0 ? [] : ['Not measured:', '', ...skipped, '']),
  ].join('\n');
}

function lineOf(result: BenchResult): string {
  const { perSecond, peerPerSecond, goal } = result;
  const rates =
    perSecond === undefined || peerPerSecond === undefined
      ? ''
      : `${perSecond.toFixed(0)} / ${peerPerSecond.toFixed(0)}`;
  const cells = [
    result.name,
    result.unit,
    rounded(result.value),
    result.detail === undefined ? result.peer : `${result.peer} (${result.detail})`,
    rounded(result.peerValue),
    rounded(result.ratio),
    rates,
    goal === undefined ? '' : `${goal}: ${result.goalMet === true ? 'met' : '**missed**'}`,
  ];
  return `| ${cells.join(' | ')} |`;
}
