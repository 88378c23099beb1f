import { HeddleError } from '@heddle/kernel';

/** The summary of a call that has happened: what rules ask about, not its content. */
export interface RecordedCall {
  /** The workload that called, `namespace/name`; empty for one from outside. */
  readonly from: string;
  /** The identity that it proved, without `spiffe://`; empty without mTLS. */
  readonly principal: string;
  readonly sourceIp: string;
  /** As it was called: with or without the port. */
  readonly host: string;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** How many calls like this it stands for. */
  readonly count: number;
}

const blank: RecordedCall = {
  from: '',
  principal: '',
  sourceIp: '',
  host: '',
  port: 0,
  method: 'GET',
  path: '/',
  headers: {},
  count: 1,
};

/**
 * Reads summaries, one JSON object a line; keys that are not written have the value of `blank`. Throws
 * `invalid_argument` / `BAD_RECORDING` with every line that is wrong.
 */
export function readRecording(text: string): readonly RecordedCall[] {
  const wrong: string[] = [];
  const calls: RecordedCall[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const problem = readLine(line, calls);
    if (problem !== undefined) wrong.push(`line ${index + 1}: ${problem}`);
  }
  if (wrong.length === 0) return calls;
  const shown = wrong.slice(0, 20).join('; ');
  const message = wrong.length > 20 ? `${shown}; and ${wrong.length - 20} more` : shown;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_RECORDING', message, sent: false });
}

function readLine(line: string, calls: RecordedCall[]): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'expected a JSON object';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'expected a JSON object';
  const written = value as Readonly<Record<string, unknown>>;
  for (const [key, one] of Object.entries(written)) {
    if (!Object.hasOwn(blank, key)) return `unknown key "${key}", known are ${Object.keys(blank).join(', ')}`;
    const wanted = typeof blank[key as keyof RecordedCall];
    if (typeof one !== wanted || one === null)
      return `expected ${key} to be ${wanted === 'object' ? 'an object' : `a ${wanted}`}`;
  }
  if (typeof written['host'] !== 'string' || written['host'] === '') return 'the key "host" is missing';
  calls.push({ ...blank, ...(written as Partial<RecordedCall>) });
  return undefined;
}
