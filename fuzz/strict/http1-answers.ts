// Our own HTTP/1.1 output, read by the letter of RFC 9112: what we send must have one reading for everybody.
import { expect } from '../target.ts';

const statusLine = /^HTTP\/1\.1 ([1-5]\d\d) [\t\x20-\x7e]*$/;
const fieldLine =
  /^[!#$%&'*+\-.^_`|~0-9a-z]+: (?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

/** What was sent. */
export interface Answers {
  /** Final statuses in order. */
  readonly statuses: readonly number[];
  /** The last one is not complete; allowed only where the connection was given up. */
  readonly cut: boolean;
}

/** Reads answers to requests of these methods; further ones are to a request that nobody could read. */
export function readAnswers(text: string, methods: readonly string[]): Answers {
  const statuses: number[] = [];
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) return { statuses, cut: true };
    const [first = '', ...lines] = text.slice(at, end).split('\r\n');
    const status = Number(statusLine.exec(first)?.[1] ?? 0);
    expect(status > 0, () => `output: a bad status line ${JSON.stringify(first)}`);
    for (const line of lines)
      expect(fieldLine.test(line), () => `output: a bad field line ${JSON.stringify(line)}`);
    at = end + 4;
    if (status < 200 && status !== 101) {
      expect(lines.length === 0, () => 'output: an interim answer with fields');
      continue;
    }
    const method = methods[statuses.length] ?? 'GET';
    statuses.push(status);
    const after = contentEnd(text, at, new Fields(lines), method, status);
    if (after === undefined) return { statuses, cut: true };
    at = after;
  }
  return { statuses, cut: false };
}

class Fields {
  readonly #lines: readonly string[];

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  all(name: string): string[] {
    return this.#lines
      .filter((line) => line.startsWith(`${name}: `))
      .map((line) => line.slice(name.length + 2));
  }
}

/** RFC 9112 section 6.3. Undefined if the text ends before the content does. */
function contentEnd(
  text: string,
  at: number,
  fields: Fields,
  method: string,
  status: number,
): number | undefined {
  const lengths = fields.all('content-length');
  const codings = fields.all('transfer-encoding');
  expect(lengths.length + codings.length <= 1, () => 'output: more than one framing');
  if (method === 'HEAD' || status === 204 || status === 304) return at;
  const tunnel = status === 101 || (method === 'CONNECT' && status < 300);
  const closes = fields.all('connection').includes('close');
  if (tunnel || lengths.length + codings.length === 0) {
    expect(tunnel || closes, () => 'output: content without framing, and the connection stays');
    return text.length;
  }
  if (codings.length === 1) return chunksEnd(text, at);
  expect(/^\d+$/.test(lengths[0] ?? ''), () => `output: the length ${lengths[0]}`);
  const end = at + Number(lengths[0]);
  return end <= text.length ? end : undefined;
}

function chunksEnd(text: string, start: number): number | undefined {
  for (let at = start; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const line = text.slice(at, lineEnd);
    expect(/^[0-9a-f]+$/.test(line), () => `output: a bad chunk size ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) return trailersEnd(text, at);
    if (at + size + 2 > text.length) return undefined;
    expect(text.startsWith('\r\n', at + size), () => 'output: a chunk that does not end where it should');
    at += size + 2;
  }
}

function trailersEnd(text: string, start: number): number | undefined {
  for (let at = start; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    if (lineEnd === at) return at + 2;
    const line = text.slice(at, lineEnd);
    expect(fieldLine.test(line), () => `output: a bad trailer ${JSON.stringify(line)}`);
    at = lineEnd + 2;
  }
}
