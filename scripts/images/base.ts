// A base image from a root of Debian, with the Node of node_modules and the npm that runs this: what `node:24-slim` is elsewhere.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import type { Buildah } from './buildah.ts';

const name = 'localhost/heddle-base:latest';

/** Makes the base image and gives its name. */
export function baseFromRoot(buildah: Buildah, folder: string): string {
  const npm = path.join(execFileSync('npm', ['root', '--global'], { encoding: 'utf8' }).trim(), 'npm');
  const container = buildah.run('from', 'scratch');
  buildah.run('copy', container, path.resolve(folder), '/');
  buildah.run('copy', container, process.execPath, '/usr/local/bin/node');
  buildah.run('copy', container, npm, '/usr/local/lib/node_modules/npm');
  for (const program of ['npm', 'npx'])
    buildah.run(
      ...['run', '--isolation', 'chroot', container, '--', 'ln', '-sf'],
      ...[`../lib/node_modules/npm/bin/${program}-cli.js`, `/usr/local/bin/${program}`],
    );
  buildah.run(
    'config',
    '--env',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    container,
  );
  buildah.run('commit', '--rm', container, name);
  return name;
}
