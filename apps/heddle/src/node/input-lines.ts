import { createInterface } from 'node:readline';

/** The lines of the input as they come, until it ends. */
export function inputLines(): AsyncIterable<string> {
  return createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
}
