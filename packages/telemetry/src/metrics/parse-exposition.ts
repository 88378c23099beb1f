import { HeddleError } from '@heddle/kernel';

/** One line of an exposition. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const line = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?[ \t]*$/s;
const pair = /\s*([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"\s*(,|$)/sy;

/**
 * Reads Prometheus' text format 0.0.4, as the console does with what it scrapes. Comments are skipped.
 * Throws `invalid_argument` / `EXPOSITION_SYNTAX` with the line number on anything else that is not a sample.
 */
export function parseExposition(text: string): Sample[] {
  const samples: Sample[] = [];
  let number = 0;
  for (const content of text.split('\n')) {
    number++;
    if (content === '' || content.startsWith('#') || content.trim() === '') continue;
    const match = line.exec(content);
    const labels = match === null ? undefined : parseLabels(match[2] ?? '');
    const value = match === null ? Number.NaN : parseNumber(match[3] as string);
    if (match === null || labels === undefined || value === undefined) {
      const message = `line ${number} of the metrics is not a sample: ${JSON.stringify(content.slice(0, 120))}`;
      throw new HeddleError({ code: 'invalid_argument', reason: 'EXPOSITION_SYNTAX', message });
    }
    samples.push({ name: match[1] as string, labels, value });
  }
  return samples;
}

function parseLabels(text: string): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  pair.lastIndex = 0;
  while (pair.lastIndex < text.length) {
    const match = pair.exec(text);
    if (match === null) return undefined;
    labels[match[1] as string] = unescape(match[2] as string);
  }
  return labels;
}

function unescape(text: string): string {
  return text.replace(/\\(.)/gs, (_, char: string) => (char === 'n' ? '\n' : char));
}

function parseNumber(text: string): number | undefined {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  if (text === 'NaN') return Number.NaN;
  const value = Number(text);
  return Number.isNaN(value) ? undefined : value;
}
