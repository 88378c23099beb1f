// The files of `heddle new`: the template to read, packages in files, and the folder to make.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HeddleError } from '@heddle/kernel';
import { type PackedPackages, packagesFolder, type ProjectFile, templateName } from '../new/project.ts';
import { readTextFile } from './config-file.ts';
import { templateFolder } from './places.ts';

const template = templateFolder(templateName);

/** The files of the template, without what was installed there. */
export function templateFiles(): ProjectFile[] {
  return readdirSync(template, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(template, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.split(path.sep).includes('node_modules'))
    .sort()
    .map((file) => ({ path: file, content: readFileSync(path.join(template, file), 'utf8') }));
}

/** What `npm run pack` has written beside the packages. */
interface PackList {
  readonly [name: string]: { readonly file: string; readonly uses: readonly string[] };
}

/** Those of the packages in a folder that the given ones need, themselves among them. */
export function packedPackages(folder: string, wanted: readonly string[]): PackedPackages {
  const list = JSON.parse(readTextFile(path.join(folder, 'packages.json'), 'list of packages')) as PackList;
  const files: Record<string, string> = {};
  const take = (name: string): void => {
    const entry = list[name];
    if (entry === undefined || Object.hasOwn(files, name)) return;
    files[name] = entry.file;
    for (const used of entry.uses) take(used);
  };
  for (const name of wanted) take(name);
  return { files };
}

/**
 * Writes a project into a folder that is not there yet, or is empty. Throws `already_exists` / `FOLDER_IN_USE`, and then nothing is
 * written.
 */
export function writeProject(
  folder: string,
  files: readonly ProjectFile[],
  packed?: { readonly folder: string; readonly packages: PackedPackages },
): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    const message = `the folder ${path.resolve(folder)} is not empty. Choose another one with --folder DIR.`;
    throw new HeddleError({ code: 'already_exists', reason: 'FOLDER_IN_USE', message });
  }
  for (const { path: file, content } of files) {
    const whole = path.join(folder, file);
    mkdirSync(path.dirname(whole), { recursive: true });
    writeFileSync(whole, content);
  }
  for (const file of Object.values(packed?.packages.files ?? {}))
    cpSync(path.join(packed?.folder ?? '', file), path.join(folder, packagesFolder, file));
}
