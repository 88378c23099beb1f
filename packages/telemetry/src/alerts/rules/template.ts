import { HeddleError } from '@heddle/kernel';
import { goNumber } from '../../promql/go-number.ts';

/** What a template can see. */
export interface TemplateData {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A text of a rule in which the alert's labels and value are put. */
export interface Template {
  /** As it was written. */
  readonly text: string;
  render(data: TemplateData): string;
}

type Piece = (data: TemplateData) => string;
type Operand = (data: TemplateData) => string | number;

/**
 * The part of Go's templates that alerts are written with: `{{ $value }}`, `{{ $labels.name }}`, and pipes into `humanize`,
 * `humanize1024`, `humanizePercentage`, `humanizeDuration`, `printf`, `title`, `toUpper` and `toLower`. Throws
 * `invalid_argument` / `BAD_TEMPLATE` for all else, when it is read and not when it is needed.
 */
export function template(text: string): Template {
  const pieces: Piece[] = [];
  let rest = 0;
  for (const match of text.matchAll(/\{\{-?\s*(.*?)\s*-?\}\}/gs)) {
    const before = text.slice(rest, match.index);
    pieces.push(() => before, action(match[1] ?? ''));
    rest = match.index + match[0].length;
  }
  const after = text.slice(rest);
  if (after.includes('{{')) throw bad('}} after {{', after.slice(after.indexOf('{{')));
  pieces.push(() => after);
  return { text, render: (data) => pieces.map((piece) => piece(data)).join('') };
}

/** The text of an action, in which stages are joined by pipes. */
function action(inside: string): Piece {
  const [first = '', ...stages] = inside.split(/\s*\|\s*/);
  const operand = stages.reduce((value, stage) => piped(stage, value), operandOf(first));
  return (data) => shown(operand(data));
}

function shown(value: string | number): string {
  return typeof value === 'number' ? goNumber(value) : value;
}

function operandOf(text: string): Operand {
  if (/^(\$value|\.Value)$/.test(text)) return ({ value }) => value;
  const [, name, quoted] = /^(?:\$labels|\.Labels)\.(\w+)$|^index \$labels "([^"]*)"$/.exec(text) ?? [];
  const label = name ?? quoted;
  if (label !== undefined) return ({ labels }) => labels[label] ?? '';
  const [, literal] = /^"((?:[^"\\]|\\.)*)"$/.exec(text) ?? [];
  if (literal !== undefined) return () => literal;
  const [, call = '', argument = ''] = /^(\w+(?:\s+"[^"]*")?)\s+(\S+)$/.exec(text) ?? [];
  if (call !== '') return piped(call, operandOf(argument));
  throw bad('$value, $labels.name, or a function of one of them', text);
}

const texts: Readonly<Record<string, (text: string) => string>> = {
  title: (text) => text.replaceAll(/\b\w/g, (letter) => letter.toUpperCase()),
  toUpper: (text) => text.toUpperCase(),
  toLower: (text) => text.toLowerCase(),
};

const numbers: Readonly<Record<string, (value: number) => string>> = {
  humanize: (value) => humanized(value, 1000, ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']),
  humanize1024: (value) => humanized(value, 1024, ['', 'ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi']),
  humanizePercentage: (value) => `${significant(value * 100)}%`,
  humanizeDuration,
};

function piped(stage: string, before: Operand): Operand {
  const text = texts[stage];
  if (text !== undefined) return (data) => text(shown(before(data)));
  const number = numbers[stage];
  if (number !== undefined) return (data) => number(Number(before(data)));
  const [, format] = /^printf\s+"([^"]*)"$/.exec(stage) ?? [];
  if (format !== undefined) return printf(format, before);
  throw bad(`one of ${[...Object.keys(numbers), ...Object.keys(texts), 'printf "…"'].join(', ')}`, stage);
}

function printf(format: string, before: Operand): Operand {
  const found = /^([^%]*)%(?:\.(\d{1,2}))?([fgsdvq])((?:[^%]|%%)*)$/.exec(format);
  if (found === null) throw bad('a format with one of %f %g %s %d %v %q', format);
  const [, front = '', digits, verb, back = ''] = found;
  return (data) => {
    const value = before(data);
    return `${front}${formatted(value, verb ?? 'v', digits)}${back.replaceAll('%%', '%')}`;
  };
}

function formatted(value: string | number, verb: string, digits: string | undefined): string {
  if (verb === 'f') return Number(value).toFixed(Number(digits ?? 6));
  if (verb === 'd') return String(Math.round(Number(value)));
  if (verb === 'q') return JSON.stringify(shown(value));
  if (verb === 'g' && digits !== undefined) return String(Number(Number(value).toPrecision(Number(digits))));
  return shown(value);
}

function significant(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : goNumber(value);
}

const small = ['', 'm', 'u', 'n', 'p', 'f', 'a', 'z', 'y'];

function humanized(value: number, step: number, units: readonly string[]): string {
  if (value === 0 || !Number.isFinite(value)) return significant(value);
  let rest = value;
  let at = 0;
  if (Math.abs(value) >= 1 || step !== 1000) {
    while (Math.abs(rest) >= step && at < units.length - 1) {
      rest /= step;
      at++;
    }
    return `${significant(rest)}${units[at]}`;
  }
  while (Math.abs(rest) < 1 && at < small.length - 1) {
    rest *= 1000;
    at++;
  }
  return `${significant(rest)}${small[at]}`;
}

function humanizeDuration(value: number): string {
  if (!Number.isFinite(value)) return goNumber(value);
  if (Math.abs(value) < 1) return value === 0 ? '0s' : `${humanized(value, 1000, [])}s`;
  const sign = value < 0 ? '-' : '';
  const whole = Math.floor(Math.abs(value));
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${sign}${days}d ${hours}h ${minutes}m ${whole % 60}s`;
  if (hours > 0) return `${sign}${hours}h ${minutes}m ${whole % 60}s`;
  if (minutes > 0) return `${sign}${minutes}m ${whole % 60}s`;
  return `${sign}${significant(Math.abs(value))}s`;
}

function bad(expected: string, found: string): HeddleError {
  const message = `expected ${expected} in the template, found ${JSON.stringify(found.slice(0, 80))}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_TEMPLATE', message, sent: false });
}
