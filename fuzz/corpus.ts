// Inputs that are worth starting from, one file each: `corpus/<target>/<what it is>.bin`.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Target } from './target.ts';

const folder = path.join(import.meta.dirname, 'corpus');
const largestFileBytes = 4096;

/** An input of the corpus, and the file it is in. */
export interface Kept {
  readonly file: string;
  readonly input: Uint8Array;
}

/** The committed inputs of a target, in the order of their names. */
export function readCorpus(target: string): Kept[] {
  const own = path.join(folder, target);
  mkdirSync(own, { recursive: true });
  const names = readdirSync(own).filter((name) => name.endsWith('.bin'));
  return names.toSorted().map((name) => ({
    file: path.join(own, name),
    input: readFileSync(path.join(own, name)),
  }));
}

/** Writes an input that something was found with. Gives the file. */
export function keepFinding(target: Target, input: Uint8Array): string {
  const file = path.join(folder, target.name, `found-${digest(input)}.bin`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, input);
  return file;
}

/** Writes an input that showed something new, if it is small and there is room for it. */
export function keepInteresting(target: Target, input: Uint8Array, mostFiles: number): void {
  if (input.length > largestFileBytes) return;
  const own = path.join(folder, target.name);
  if (readdirSync(own).length >= mostFiles) return;
  writeFileSync(path.join(own, `new-${digest(input)}.bin`), input);
}

function digest(input: Uint8Array): string {
  return createHash('sha256').update(input).digest('hex').slice(0, 10);
}
