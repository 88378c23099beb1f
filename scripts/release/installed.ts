// Installs the packed packages into an empty project and uses them: `heddle new` of the packed command, types, tests, every export.
// Each package sees only what it declares, as with a package manager that is strict; so an undeclared dependency fails here.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../files.ts';
import type { Manifest } from './manifest.ts';
import { packAll } from './pack.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-installed-'));
const bin = path.join(root, 'node_modules/.bin');
const store = path.join(folder, 'store');
const project = path.join(folder, 'parcel-tracking');
const packed = path.join(folder, 'packed');

/** Where a package lies that was unpacked: beside links to what it depends on. */
function placeOf(name: string): string {
  return path.join(store, name.replace('/', '+'), 'node_modules', name);
}

/** Where npm has put what a package of ours depends on: in its own folder where versions differ, else at the root. */
function installedFor(owner: string, name: string): string | undefined {
  // npm links each workspace, so what is in its folder is found through the link.
  const own = path.join(root, 'node_modules', owner, 'node_modules', name);
  return [own, path.join(root, 'node_modules', name)].find((place) => existsSync(place));
}

/** Makes a package visible in a folder of modules. An optional one that is nowhere is left out. */
function link(name: string, modules: string, owner = ''): void {
  const at = path.join(modules, name);
  const target = name.startsWith('@heddle/') ? placeOf(name) : installedFor(owner, name);
  if (target === undefined || existsSync(at)) return;
  mkdirSync(path.dirname(at), { recursive: true });
  symlinkSync(target, at);
}

function unpack(name: string, file: string): Manifest {
  const place = placeOf(name);
  mkdirSync(place, { recursive: true });
  execFileSync('tar', ['-xzf', path.join(packed, file), '--strip-components=1', '-C', place]);
  const manifest = JSON.parse(readFileSync(path.join(place, 'package.json'), 'utf8')) as Manifest;
  for (const needed of ['LICENSE', 'README.md'])
    if (!existsSync(path.join(place, needed))) throw new Error(`${name} has no ${needed}`);
  const hooks = Object.keys(manifest.scripts ?? {});
  if (hooks.length > 0) throw new Error(`${name} brings scripts: ${hooks.join(', ')}`);
  return manifest;
}

function run(command: string, args: readonly string[], cwd: string): void {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined };
  execFileSync(command, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Imports each export of each package from a place that sees them all. */
function importAll(manifests: readonly Manifest[]): number {
  // Files, and programs that would run, are for the command to find.
  const exported = manifests.flatMap(({ name, exports = {} }) =>
    Object.entries(exports)
      .filter(([subpath, target]) => typeof target !== 'string' && !subpath.endsWith('/main'))
      .map(([subpath]) => path.posix.join(name, subpath)),
  );
  const modules = path.join(store, 'node_modules');
  for (const { name } of manifests) link(name, modules);
  const file = path.join(store, 'all.mjs');
  writeFileSync(file, exported.map((each) => `await import('${each}');\n`).join(''));
  run(process.execPath, [file], store);
  return exported.length;
}

try {
  const list = packAll(packed);
  const manifests = Object.entries(list).map(([name, { file }]) => unpack(name, file));
  for (const { name, dependencies, peerDependencies } of manifests)
    for (const each of Object.keys({ ...dependencies, ...peerDependencies }))
      link(each, path.join(placeOf(name), '../..'), name);
  const count = importAll(manifests);
  const cli = path.join(placeOf('@heddle/cli'), 'dist/main.js');
  run(process.execPath, [cli, 'new', 'parcel-tracking', '--folder', project, '--packages', packed], folder);
  const made = JSON.parse(readFileSync(path.join(project, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  for (const name of Object.keys({ ...made.dependencies, ...made.devDependencies }))
    link(name, path.join(project, 'node_modules'));
  run(path.join(bin, 'tsc'), [], project);
  run(process.execPath, ['--test', 'src/**/*.test.ts'], project);
  console.log(
    `${manifests.length} packages installed: ${count} exports imported, a new service passes its types and tests`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
