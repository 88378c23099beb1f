import type { Contract } from '@heddle/api';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { type Given, usageError, type World } from '../command.ts';
import { isContractFile, readContractFile } from '../node/contract-file.ts';
import { PlaneClient } from '../observe/plane-client.ts';

/** A verb of `heddle api` with all that it works on. */
export interface ApiAsked {
  readonly runtime: Runtime;
  /** After the verb. */
  readonly words: readonly string[];
  readonly given: Given;
  readonly world: World;
}

/** One verb; gives the exit code. */
export type ApiVerb = (asked: ApiAsked) => Promise<number>;

/** Asks a control plane, and lets go of it. Rejects with `not_found` for what it does not have. */
export async function askPlane<T>(
  { given, runtime }: ApiAsked,
  path: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<T> {
  const plane = new PlaneClient(given, runtime);
  try {
    const found = await plane.get<T>(`/api/catalogue${path}`, parameters);
    if (found !== undefined) return found;
    const message = `the catalogue has nothing at "${path.slice(1)}"; "heddle api list" shows what it has`;
    throw new HeddleError({ code: 'not_found', reason: 'NOT_IN_CATALOGUE', message });
  } finally {
    plane.close();
  }
}

/** Has a control plane do something. */
export async function tellPlane<T>({ given, runtime }: ApiAsked, path: string, body: object): Promise<T> {
  const plane = new PlaneClient(given, runtime);
  try {
    return await plane.change<T>('POST', `/api/catalogue${path}`, body);
  } finally {
    plane.close();
  }
}

/** The contract that a word names: a file's, or the newest of a service in the catalogue. */
export async function contractOf(asked: ApiAsked, word: string): Promise<Contract> {
  if (isContractFile(word)) return readContractFile(word);
  return askPlane<Contract>(asked, `/${encodeURIComponent(word)}/contract`);
}

/** Exactly so many words, or a usage error that names them. */
export function wordsOf({ words }: ApiAsked, verb: string, ...names: readonly string[]): readonly string[] {
  if (words.length === names.length) return words;
  throw usageError(
    `"heddle api ${verb}" takes ${names.join(' ') || 'no words'}, found ${words.length} words`,
  );
}

/** Prints as JSON. */
export function printJson({ world }: ApiAsked, value: unknown): void {
  world.terminal.out(`${JSON.stringify(value, undefined, 2)}\n`);
}
