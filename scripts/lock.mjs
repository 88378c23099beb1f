// `npm run lock`: use it instead of `npm install` after changing dependencies.
// npm leaves a platform's binary package out of the lockfile when the registry at hand does not hold it, and then
// `npm ci` refuses the lockfile. This names every optional platform package that a locked package asks for, without
// an integrity (npm adds it on the first machine that has one), so that a clone installs on every platform.
import childProcess from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import url from 'node:url';

const root = path.resolve(path.dirname(url.fileURLToPath(import.meta.url)), '..');
const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];
const spellings = { armv7: 'arm', mac: 'darwin', osx: 'darwin', windows: 'win32' };

/** Adds what is missing to `packages` (the member of a lockfile) and returns the places it added. */
export function completePlatforms(packages) {
  const added = [];
  for (const [where, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (isLocked(packages, where, name)) continue;
      const platform = platformOf(name);
      if (platform === undefined || !/^\d/.test(version)) continue;
      const place = `node_modules/${name}`;
      packages[place] = inNpmsOrder({
        version,
        ...platform,
        ...(entry.dev && { dev: true }),
        optional: true,
      });
      added.push(place);
    }
  }
  return added;
}

/** The version first, the rest by name: as npm writes it, so that its next run changes nothing. */
function inNpmsOrder({ version, ...rest }) {
  return {
    version,
    ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => a.localeCompare(b, 'en'))),
  };
}

/** Node's resolution: beside the package, then in every folder above it. */
function isLocked(packages, where, name) {
  for (let at = where; ; at = at.slice(0, Math.max(at.lastIndexOf('/node_modules'), 0))) {
    if (packages[`${at}${at === '' ? '' : '/'}node_modules/${name}`] !== undefined) return true;
    if (at === '') return false;
  }
}

/** Reads `os` and `cpu` off a package name such as `@oxlint/binding-linux-arm64-musl`; undefined when it names none. */
export function platformOf(name) {
  const words = name.split(/[-/_]/).map((word) => spellings[word] ?? word);
  const os = words.find((word) => systems.includes(word));
  const cpu = words.find((word) => processors.includes(word));
  if (os === undefined && cpu === undefined) return undefined;
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : words.includes('gnu')
      ? 'glibc'
      : undefined;
  return { ...(cpu && { cpu: [cpu] }), ...(libc && { libc: [libc] }), ...(os && { os: [os] }) };
}

function main() {
  const file = path.join(root, 'package-lock.json');
  const done = childProcess.spawnSync('npm', ['install', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (done.status !== 0) process.exit(done.status ?? 1);
  const lock = JSON.parse(fs.readFileSync(file, 'utf8'));
  const added = completePlatforms(lock.packages);
  lock.packages = Object.fromEntries(
    Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
  );
  fs.writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`package-lock.json: ${added.length} platform packages named that the registry did not offer`);
}

if (process.argv[1] === url.fileURLToPath(import.meta.url)) main();
