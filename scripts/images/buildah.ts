// Buildah without privileges beyond those of its user: plain folders as storage, no namespaces of its own.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../files.ts';

const isolation = ['--isolation', 'chroot'];

/** How an image is started, as its own configuration says. */
export interface ImageConfig {
  readonly User: string;
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
}

/** Buildah with a storage of ours. Each method throws with what buildah printed. */
export class Buildah {
  readonly #where: readonly string[];
  readonly #npmrc: string;

  /** `storage` keeps images between runs; `folder` is for this run. */
  constructor(storage: string, folder: string) {
    this.#where = ['--storage-driver', 'vfs', '--root', storage, '--runroot', path.join(folder, 'run')];
    this.#npmrc = path.join(folder, 'npmrc');
  }

  /** Runs one command of buildah and gives what it prints. What it says meanwhile goes to standard error. */
  run(...args: readonly string[]): string {
    const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
    return execFileSync('buildah', [...this.#where, ...args], { encoding: 'utf8', stdio }).trim();
  }

  /** Builds a file of instructions. npm within reaches its registry as npm here does. */
  build(file: string, context: string, image: string, args: readonly string[]): void {
    const registry = execFileSync('npm', ['config', 'get', 'registry'], {
      cwd: root,
      encoding: 'utf8',
    }).trim();
    const authorities = process.env['NODE_EXTRA_CA_CERTS'];
    const trusted = '/run/npm-authorities.pem';
    const settings = authorities === undefined ? [] : [`cafile=${trusted}`];
    writeFileSync(this.#npmrc, [`registry=${registry}`, ...settings, ''].join('\n'));
    this.run(
      'bud',
      ...isolation,
      ...['--network', 'host', '-v', `${this.#npmrc}:/root/.npmrc:ro`],
      ...(authorities === undefined ? [] : ['-v', `${authorities}:${trusted}:ro`]),
      ...args,
      ...['-f', file, '-t', image, context],
    );
  }

  /** The size of an image, unpacked. */
  bytes(image: string): number {
    const container = this.run('from', image);
    try {
      const folder = this.run('mount', container);
      return Number(execFileSync('du', ['-sb', folder], { encoding: 'utf8' }).split('\t')[0]);
    } finally {
      this.run('rm', container);
    }
  }

  config(image: string): ImageConfig {
    const { OCIv1 } = JSON.parse(this.run('inspect', '--type', 'image', image)) as {
      OCIv1: { config: ImageConfig };
    };
    return OCIv1.config;
  }

  /** Starts an image's program in a container made of it, as the user that the image names. */
  start(
    container: string,
    { Entrypoint }: ImageConfig,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): ChildProcess {
    const given = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const all = [
      ...this.#where,
      'run',
      ...isolation,
      '--network',
      'host',
      ...given,
      container,
      '--',
      ...Entrypoint,
      ...args,
    ];
    return spawn('buildah', all, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  }
}
