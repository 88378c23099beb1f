import { HeddleError } from '@heddle/kernel';
import { Fields, type HttpResponse, wholeBody } from '@heddle/wire';

const encoder = new TextEncoder();

/** An answer in JSON. Nothing of it is to be kept by anybody on the way. */
export function jsonAnswer(status: number, value: unknown): HttpResponse {
  const fields = Fields.of({
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  return { status, fields, body: wholeBody(encoder.encode(JSON.stringify(value))) };
}

/** Path and parameters of a request. */
export function targetOf(path: string): { readonly path: string; readonly parameters: URLSearchParams } {
  const question = path.indexOf('?');
  if (question < 0) return { path, parameters: new URLSearchParams() };
  return { path: path.slice(0, question), parameters: new URLSearchParams(path.slice(question + 1)) };
}

/** Gathers what is wrong with parameters, to say it all at once. */
export class ParameterReader {
  readonly #parameters: URLSearchParams;
  readonly #problems: string[] = [];

  constructor(parameters: URLSearchParams) {
    this.#parameters = parameters;
  }

  text(name: string): string | undefined {
    return this.#parameters.get(name) || undefined;
  }

  /** A whole number from `least` to `most`. */
  whole(name: string, fallback: number, least: number, most: number): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (/^\d{1,16}$/.test(text) && value >= least && value <= most) return value;
    this.problem(name, `a whole number from ${least} to ${most}`, text);
    return fallback;
  }

  problem(name: string, expected: string, found: string): void {
    this.#problems.push(`${name}: expected ${expected}, found ${JSON.stringify(found.slice(0, 80))}`);
  }

  /** Throws `invalid_argument` / `BAD_QUERY` if there was a problem. */
  check(): void {
    if (this.#problems.length === 0) return;
    const message = this.#problems.join('; ');
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_QUERY', message, sent: false });
  }
}
