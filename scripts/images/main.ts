// `npm run images [-- --rootfs DIR]`: builds deploy/Dockerfile with buildah, which needs no daemon, and tries the image as its own user.
// `--rootfs`: where no image registry is reached, a folder with a root of Debian (`mmdebstrap --variant=minbase bookworm DIR`) that becomes the base.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { which } from '../engines/command.ts';
import { root } from '../files.ts';
import { baseFromRoot } from './base.ts';
import { Buildah } from './buildah.ts';
import { tryImage } from './try-image.ts';

const { values } = parseArgs({ options: { rootfs: { type: 'string' } } });
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
const image = `heddle:${version}`;

if (which('buildah') === undefined) {
  console.error('images are built with buildah, which is not there: apt-get install buildah');
  process.exit(1);
}
const storage = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'heddle/images');
mkdirSync(storage, { recursive: true });
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-images-'));
const buildah = new Buildah(storage, folder);
try {
  const base =
    values.rootfs === undefined ? [] : ['--build-arg', `NODE_IMAGE=${baseFromRoot(buildah, values.rootfs)}`];
  buildah.build(path.join(root, 'deploy/Dockerfile'), root, image, base);
  console.log(`${image}: ${(buildah.bytes(image) / 1_000_000).toFixed(0)} MB`);
  for (const said of await tryImage(buildah, image)) console.log(`  ${said}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
