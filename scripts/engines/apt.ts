// Programs from Debian's and Ubuntu's archives, without changing the machine: packages that are not installed are
// downloaded with what they need and unpacked into our cache. No root, no services that start by themselves.
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cached, fillCache } from './cache.ts';
import { lastWords, run, which } from './command.ts';
import type { Found, Missing } from './engine.ts';

/** A program of a package. */
export interface AptProgram {
  readonly package: string;
  /** Its name, without folder. */
  readonly program: string;
  /** What makes it say its version, and how to read it. */
  readonly versionArgs: readonly string[];
  readonly version: RegExp;
}

const systemFolders = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin'];

/** Looks for the program on the machine, then among what was unpacked. */
export async function findProgram(wanted: AptProgram): Promise<Found | Missing> {
  const wrapper = path.join(cached(`apt-${wanted.package}`), 'wrapped', wanted.program);
  const file = which(wanted.program, systemFolders) ?? (existsSync(wrapper) ? wrapper : undefined);
  if (file === undefined) return { missing: `${wanted.program} is neither installed nor in the cache` };
  const said = await run(file, wanted.versionArgs);
  const version = wanted.version.exec(said.output)?.[1];
  if (version === undefined) return { missing: `${file} does not start: ${lastWords(said.output)}` };
  return { path: file, version };
}

/** Downloads and unpacks the package; the answer is a wrapper that finds its libraries and becomes the program. */
export async function installProgram(wanted: AptProgram): Promise<Found | Missing> {
  const unpacked = await unpack(wanted.package);
  return typeof unpacked === 'string' ? findProgram(wanted) : unpacked;
}

/** The folder into which a package and what it needs were unpacked, with `usr/…` as on the machine. */
export async function unpack(name: string): Promise<string | Missing> {
  if (existsSync(cached(`apt-${name}`))) return cached(`apt-${name}`);
  if (which('apt-get') === undefined || which('dpkg-deb') === undefined)
    return { missing: `${name} comes from a Debian archive, and this machine has no apt-get` };
  const packages = await missingPackages(name);
  if ('missing' in packages) return packages;
  try {
    return await fillCache(`apt-${name}`, (folder) => download(packages, folder));
  } catch (error) {
    return { missing: `${name} could not be downloaded: ${(error as Error).message}` };
  }
}

async function missingPackages(name: string): Promise<readonly string[] | Missing> {
  const simulate = (): ReturnType<typeof run> =>
    run('apt-get', ['install', '--simulate', '--no-install-recommends', '--reinstall', name]);
  let plan = await simulate();
  if (plan.code !== 0 && process.getuid?.() === 0) {
    await run('apt-get', ['update'], { timeoutMs: 120_000 });
    plan = await simulate();
  }
  if (plan.code !== 0) return { missing: `apt-get does not know ${name}: ${lastWords(plan.output)}` };
  return [...plan.output.matchAll(/^Inst (\S+)/gm)].map(([, each]) => each as string);
}

async function download(packages: readonly string[], folder: string): Promise<void> {
  const archives = path.join(folder, 'archives');
  mkdirSync(archives);
  // apt drops its rights to a user who may not be able to write here; the download is ours alone anyway.
  const got = await run('apt-get', ['-o', 'APT::Sandbox::User=', 'download', ...packages], {
    cwd: archives,
    timeoutMs: 180_000,
  });
  if (got.code !== 0) throw new Error(lastWords(got.output));
  for (const archive of readdirSync(archives)) {
    const done = await run('dpkg-deb', ['--extract', path.join(archives, archive), folder]);
    if (done.code !== 0) throw new Error(lastWords(done.output));
  }
  wrapPrograms(folder);
}

/** `exec` keeps the process id, so that a wrapped program is stopped like any other. */
function wrapPrograms(folder: string): void {
  mkdirSync(path.join(folder, 'wrapped'));
  for (const place of ['usr/sbin', 'usr/bin', 'sbin', 'bin']) {
    if (!existsSync(path.join(folder, place))) continue;
    for (const name of readdirSync(path.join(folder, place))) {
      const wrapper = path.join(folder, 'wrapped', name);
      writeFileSync(wrapper, wrapperOf(place, name));
      chmodSync(wrapper, 0o755);
    }
  }
}

function wrapperOf(place: string, name: string): string {
  return [
    '#!/bin/sh',
    `here=$(dirname "$(dirname "$0")")`,
    `LD_LIBRARY_PATH=$(echo "$here"/usr/lib "$here"/usr/lib/*-linux-gnu "$here"/lib/*-linux-gnu | tr ' ' ':')`,
    'export LD_LIBRARY_PATH',
    `exec "$here/${place}/${name}" "$@"`,
    '',
  ].join('\n');
}
