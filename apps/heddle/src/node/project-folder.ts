// The files of `heddle new`: the template to read, packages in files, and the folder to make.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HeddleError } from '@heddle/kernel';
import { type PackedPackages, packagesFolder, type ProjectFile, templateName } from '../new/project.ts';
import { readTextFile } from './config-file.ts';
import { piecesFolder, templateFolder } from './places.ts';

const template = templateFolder(templateName);

/** The files of the template, without what was installed there. */
export function templateFiles(): ProjectFile[] {
  return filesIn(template);
}

/** The files of a kind of piece, as `heddle add` copies them. */
export function pieceTemplate(kind: string): ProjectFile[] {
  return filesIn(path.join(piecesFolder(), kind));
}

function filesIn(folder: string): ProjectFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.split(path.sep).includes('node_modules'))
    .sort()
    .map((file) => ({ path: file, content: readFileSync(path.join(folder, file), 'utf8') }));
}

/** A project's package.json, as far as it is read here. */
export interface Project {
  readonly file: string;
  readonly manifest: Readonly<Record<string, unknown>> & {
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly devDependencies?: Readonly<Record<string, string>>;
  };
}

/** The project in a folder. Throws `failed_precondition` / `NO_PROJECT` for one that does not use Heddle. */
export function projectIn(folder: string): Project {
  const file = path.join(folder, 'package.json');
  const manifest = existsSync(file)
    ? (JSON.parse(readTextFile(file, 'package.json')) as Project['manifest'])
    : {};
  if (manifest.dependencies?.['@heddle/kernel'] !== undefined) return { file, manifest };
  const message = `expected a service on Heddle in ${path.resolve(folder)} (package.json with @heddle/kernel), found none. "heddle new NAME" makes one.`;
  throw new HeddleError({ code: 'failed_precondition', reason: 'NO_PROJECT', message });
}

/** Writes files into a project. Throws `already_exists` / `FILE_IN_USE` if one of them is there, and then nothing is written. */
export function writePiece(folder: string, files: readonly ProjectFile[]): void {
  const there = files.filter(({ path: file }) => existsSync(path.join(folder, file)));
  if (there.length > 0) {
    const message = `${there.map(({ path: file }) => file).join(', ')}: already there. Choose another name.`;
    throw new HeddleError({ code: 'already_exists', reason: 'FILE_IN_USE', message });
  }
  for (const { path: file, content } of files) {
    const whole = path.join(folder, file);
    mkdirSync(path.dirname(whole), { recursive: true });
    writeFileSync(whole, content);
  }
}

/** Adds packages of Heddle to a project, in the version of those that it has. Gives those that were not there. */
export function addDependencies({ file, manifest }: Project, names: readonly string[]): readonly string[] {
  const { dependencies = {}, devDependencies = {} } = manifest;
  const added = names.filter(
    (name) => dependencies[name] === undefined && devDependencies[name] === undefined,
  );
  if (added.length === 0) return added;
  const version = dependencies['@heddle/kernel'] ?? '';
  // Packages in files lie side by side: `file:packages/heddle-kernel-0.1.0.tgz`.
  const place = (name: string): string => version.replace('heddle-kernel', name.slice(1).replace('/', '-'));
  const all = { ...dependencies, ...Object.fromEntries(added.map((name) => [name, place(name)])) };
  const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify({ ...manifest, dependencies: sorted }, undefined, 2)}\n`);
  return added;
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
