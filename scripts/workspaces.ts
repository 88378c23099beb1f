// The libraries of the repository and what they say about themselves.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './files.ts';

/** The members of a package.json that the scripts read. */
export interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Folder names under packages/, sorted. */
export function libraries(): string[] {
  const folder = path.join(root, 'packages');
  return readdirSync(folder)
    .filter((name) => existsSync(path.join(folder, name, 'package.json')))
    .sort();
}

/** Reads packages/<name>/package.json. */
export function manifest(library: string): Manifest {
  return JSON.parse(readFileSync(path.join(root, 'packages', library, 'package.json'), 'utf8')) as Manifest;
}
