// Brings a clone to the point where every npm script works: dependencies installed, a Node that runs TypeScript.
// It has to run on whatever Node the machine has, before anything is installed: plain JavaScript, no dependencies,
// default imports only (a missing named export would fail before a sentence could be printed).
import childProcess from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import url from 'node:url';

export const root = path.resolve(path.dirname(url.fileURLToPath(import.meta.url)), '..');
const oldestSystemNode = 20;
// 24.18.1 and 26.5.1 closed known holes of their lines; odd lines are not supported by anyone.
const oldestSafe = { 24: [18, 1], 26: [5, 1] };

/** A sentence for the user; the commands print it and exit with 1. */
export class SetupError extends Error {}

/** Installs what is missing and returns the path of the Node that runs Heddle. Throws SetupError, never prints a stack. */
export function setup() {
  requireSystemNode(process.versions.node);
  if (!isInstalled(root)) {
    requireWritable(root);
    install();
  }
  const node = completeNodeBinary();
  requireSafeNode(node);
  buildConsole(node);
  return node;
}

/** The console's pages, if they are older than what they are made of; a look takes some milliseconds. */
function buildConsole(node) {
  const script = path.join(root, 'apps', 'console', 'build.mjs');
  if (!fs.existsSync(script)) return;
  const done = childProcess.spawnSync(node, [script], { cwd: root, encoding: 'utf8', env: systemEnv() });
  if (done.error === undefined && done.status === 0) return;
  const cause = done.error?.message ?? done.stderr.trim().slice(-2000);
  throw new SetupError(`The console's pages could not be built: ${cause}`);
}

/** Refuses a Node that cannot even run npm 10, with which nothing below works. */
export function requireSystemNode(version) {
  if (Number(version.split('.')[0]) >= oldestSystemNode) return;
  throw new SetupError(
    `Heddle needs Node ${oldestSystemNode} or newer to set itself up; this is Node ${version}. ` +
      'Install a newer Node (https://nodejs.org) and run the command again.',
  );
}

/** Says whether `version` is a line that gets fixes and is new enough to have the ones that matter. */
export function isSafeNode(version) {
  const [major, minor, patch] = version.split('.').map(Number);
  const oldest = oldestSafe[major];
  if (oldest === undefined) return major > 26;
  return minor > oldest[0] || (minor === oldest[0] && patch >= oldest[1]);
}

/** Compares what npm recorded as installed with the lockfile, by content: a checkout changes times without cause. */
export function isInstalled(folder) {
  const wanted = readPackages(path.join(folder, 'package-lock.json'));
  const installed = readPackages(path.join(folder, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted).every(([where, entry]) => {
    if (where === '') return true;
    const present = installed[where];
    if (present === undefined) return entry.optional === true || entry.peer === true;
    return present.version === entry.version && present.integrity === entry.integrity;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function requireWritable(folder) {
  for (const each of [folder, path.join(folder, 'node_modules')]) {
    if (!fs.existsSync(each)) continue;
    try {
      fs.accessSync(each, fs.constants.W_OK);
    } catch {
      throw new SetupError(
        `Heddle cannot write to ${each}, where its dependencies are to be installed. ` +
          'Change the owner of the folder, or clone Heddle into a folder of your own.',
      );
    }
  }
}

function install() {
  console.error('heddle: installing dependencies (once, and again whenever package-lock.json changes) …');
  const { command, args } = npm();
  // Development dependencies hold the compiler and Node itself: NODE_ENV=production must not drop them.
  // EBADENGINE warnings are about the system's Node, which only runs npm: hence loglevel error.
  const options = ['ci', '--include=dev', '--loglevel=error', '--no-audit', '--no-fund'];
  const done = childProcess.spawnSync(command, [...args, ...options], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: systemEnv(),
  });
  if (done.error === undefined && done.status === 0) return;
  const cause =
    done.error === undefined
      ? `npm ci ended with ${done.signal ?? `exit code ${done.status}`}`
      : done.error.message;
  throw new SetupError(
    `Installing the dependencies failed: ${cause}. The messages of npm are above; ` +
      'the usual causes are no network, a proxy or registry that is not configured, or a full disk.',
  );
}

/** npm as it called us, else the one on the PATH; never run by the Node that `npm ci` is about to delete. */
function npm() {
  const cli = process.env.npm_execpath;
  const node = process.env.npm_node_execpath;
  if (cli?.endsWith('.js') && node && fs.existsSync(cli) && fs.existsSync(node))
    return { command: node, args: [cli] };
  return { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', args: [] };
}

function systemEnv() {
  const own = path.join(root, 'node_modules');
  const parts = (process.env.PATH ?? '').split(path.delimiter).filter((part) => !part.startsWith(own));
  return { ...process.env, PATH: parts.join(path.delimiter) };
}

/**
 * The npm package `node` fetches its binary in an install script. Where install scripts are switched off
 * that one script is run here: it is the same file that `allowScripts` in package.json names.
 */
function completeNodeBinary() {
  const folder = path.join(root, 'node_modules', 'node');
  const binary = path.join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!fs.existsSync(binary)) {
    console.error('heddle: fetching Node, because install scripts are switched off here …');
    const script = ['installArchSpecificPackage.js'];
    const done = childProcess.spawnSync(process.execPath, script, {
      cwd: folder,
      stdio: ['ignore', 2, 2],
      env: systemEnv(),
    });
    if (done.status !== 0 || !fs.existsSync(binary)) {
      throw new SetupError(
        'The npm package "node" could not fetch its binary. Run `npm rebuild node --ignore-scripts=false`, ' +
          'or look above for what npm said.',
      );
    }
  }
  linkNode(binary);
  return binary;
}

/** npm links `node_modules/.bin/node` only when the binary is there at install time. */
function linkNode(binary) {
  const link = path.join(root, 'node_modules', '.bin', 'node');
  if (process.platform === 'win32' || fs.existsSync(link)) return;
  fs.rmSync(link, { force: true });
  fs.symlinkSync(path.relative(path.dirname(link), binary), link);
}

function requireSafeNode(binary) {
  const asked = childProcess.spawnSync(binary, ['--version'], { encoding: 'utf8' });
  const version = (asked.stdout ?? '').trim().replace(/^v/, '');
  if (asked.status === 0 && isSafeNode(version)) return;
  const found =
    asked.status === 0 ? `is ${version}` : `does not start (${asked.error?.message ?? asked.stderr.trim()})`;
  throw new SetupError(
    `The Node in node_modules ${found}, but Heddle needs 24.18.1 or newer of line 24, or 26.5.1 or newer: ` +
      'older ones have known holes. Remove node_modules and run `npm run setup`.',
  );
}

/** Runs `work`; a SetupError becomes one sentence on standard error and exit code 1. */
export function orExit(work) {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`heddle: ${error.message}`);
    process.exit(1);
  }
}

if (process.argv[1] === url.fileURLToPath(import.meta.url)) orExit(setup);
