import { HeddleError } from '@heddle/kernel';

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

/** Milliseconds of `1h30m`, or of a number of seconds; undefined if it is neither. A sign may be in front. */
export function durationMs(text: string): number | undefined {
  const [, sign, rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  const factor = sign === '-' ? -1 : 1;
  if (/^(\d+(ms|[smhdwy]))+$/.test(rest)) {
    let ms = 0;
    for (const [, count, unit] of rest.matchAll(/(\d+)(ms|[smhdwy])/g))
      ms += Number(count) * (unitsMs[unit as string] as number);
    return factor * ms;
  }
  const seconds = plainNumber(rest);
  return seconds === undefined || !Number.isFinite(seconds) ? undefined : factor * Math.round(seconds * 1000);
}

/** The value of a literal: decimal, hexadecimal, octal, with `_` between digits, `Inf`, `NaN`, or a duration in seconds. */
export function numberOf(text: string): number {
  const [, sign, rest = ''] = /^([+-]?)\s*(.*)$/s.exec(text) ?? [];
  const value = plainNumber(rest) ?? (durationMs(rest) ?? Number.NaN) / 1000;
  return sign === '-' ? -value : value;
}

function plainNumber(text: string): number | undefined {
  const lower = text.toLowerCase();
  if (lower === 'inf') return Number.POSITIVE_INFINITY;
  if (lower === 'nan') return Number.NaN;
  const digits = lower.replaceAll(/(?<=[0-9a-f])_(?=[0-9a-f])/g, '');
  if (/^0x[0-9a-f]+$/.test(digits)) return Number(digits);
  if (/^0[0-7]+$/.test(digits)) return Number.parseInt(digits, 8);
  return /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(digits) ? Number(digits) : undefined;
}

const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

/** The text of a literal in quotes, as Go has it; between backticks nothing is escaped. */
export function textOf(quoted: string): string {
  const inside = quoted.slice(1, -1);
  if (quoted.startsWith('`')) return inside;
  return inside.replaceAll(
    /\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/gs,
    (whole, escape: string) => {
      const [first = ''] = escape;
      if (escape.length === 1 && Object.hasOwn(escapes, first)) return escapes[first] as string;
      if (first === 'x' || first === 'u' || first === 'U')
        if (escape.length > 1) return String.fromCodePoint(Number.parseInt(escape.slice(1), 16));
      if (/^[0-7]{3}$/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8));
      const message = `expected an escape sequence of Go in ${quoted}, found ${whole}`;
      throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_PROMQL', message, sent: false });
    },
  );
}
