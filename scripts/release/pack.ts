// `npm run pack`: what would be published, as files in packed/, with packages.json (who uses whom) and a bill of materials.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../files.ts';
import { publishedFolders } from '../workspaces.ts';
import { type Manifest, published } from './manifest.ts';

/** One entry of packages.json. */
export interface Packed {
  readonly file: string;
  /** The packages of ours that it depends on. */
  readonly uses: readonly string[];
}

/** Packs everything that is published into a folder. Throws if something has not been built. */
export function packAll(folder: string): Record<string, Packed> {
  mkdirSync(folder, { recursive: true });
  const stage = mkdtempSync(path.join(tmpdir(), 'heddle-pack-'));
  try {
    const copies = publishedFolders().map((folder) => ({ folder, copy: path.basename(folder) }));
    const manifests = copies.map(({ folder, copy }) => staged(folder, path.join(stage, copy)));
    const options = ['--ignore-scripts', '--silent', '--pack-destination', path.resolve(folder)];
    const folders = copies.map(({ copy }) => `./${copy}`);
    execFileSync('npm', ['pack', ...options, ...folders], {
      cwd: stage,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const packed = Object.fromEntries(manifests.map((manifest) => [manifest.name, entryOf(manifest)]));
    writeFileSync(path.join(folder, 'packages.json'), `${JSON.stringify(packed, undefined, 2)}\n`);
    return packed;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** Makes a copy that is as users get it: built files, licence, a word on what it is. */
function staged(folder: string, copy: string): Manifest {
  const source = path.join(root, folder);
  if (!existsSync(path.join(source, 'dist'))) throw new Error(`${folder} is not built: npm run build`);
  mkdirSync(copy);
  const text = readFileSync(path.join(source, 'package.json'), 'utf8');
  const manifest = published(JSON.parse(text) as Manifest);
  for (const file of manifest.files.filter((each) => existsSync(path.join(source, each))))
    cpSync(path.join(source, file), path.join(copy, file), { recursive: true });
  if (manifest.files.includes('template')) copyTemplates(copy);
  cpSync(path.join(root, 'LICENSE'), path.join(copy, 'LICENSE'));
  writeFileSync(path.join(copy, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  writeFileSync(path.join(copy, 'README.md'), readmeOf(manifest));
  return manifest;
}

/** What `heddle new` and `heddle add` make others of: files as they are committed. */
function copyTemplates(copy: string): void {
  const filter = (file: string): boolean => !['node_modules', 'dist'].includes(path.basename(file));
  const options = { recursive: true, filter };
  cpSync(path.join(root, 'examples/daily-greeting'), path.join(copy, 'template'), options);
  cpSync(path.join(root, 'examples/pieces/src'), path.join(copy, 'pieces'), options);
}

/** npm names the file of @heddle/kernel heddle-kernel-0.1.0.tgz. */
function entryOf({ name, version, dependencies = {} }: Manifest): Packed {
  const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
  return { file, uses: Object.keys(dependencies).filter((each) => each.startsWith('@heddle/')) };
}

function readmeOf({ name, description }: Manifest): string {
  return `# ${name}\n\n${description}.\n\nPart of Heddle, a microservices platform for TypeScript teams. Apache-2.0.\n`;
}

if (import.meta.main) {
  const folder = path.join(root, 'packed');
  rmSync(folder, { recursive: true, force: true });
  const packed = packAll(folder);
  const bill = ['sbom', '--sbom-format=cyclonedx', '--omit=dev', '--package-lock-only'];
  writeFileSync(path.join(folder, 'sbom.cdx.json'), execFileSync('npm', bill, { cwd: root, maxBuffer: 1e8 }));
  console.log(`${Object.keys(packed).length} packages and sbom.cdx.json in ${folder}`);
}
