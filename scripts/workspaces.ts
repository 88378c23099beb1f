// The libraries of the repository.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from './files.ts';

/** Folder names under packages/, sorted. */
export function libraries(): string[] {
  const folder = path.join(root, 'packages');
  return readdirSync(folder)
    .filter((name) => existsSync(path.join(folder, name, 'package.json')))
    .sort();
}

/** The folders of all that is published, from the root, sorted: the libraries, and the command with what it brings. */
export function publishedFolders(): string[] {
  const command = ['apps/console', 'apps/heddle', 'examples/shop'];
  return [...command, ...libraries().map((name) => `packages/${name}`)];
}
