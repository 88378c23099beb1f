// `node scripts/run.mjs <file> [arguments]`: sets the clone up, then runs the file with the Node of node_modules,
// workspace packages resolved to their TypeScript sources. Signals and the exit code pass through.
import childProcess from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { orExit, root, SetupError, setup } from './setup.mjs';

const [target, ...args] = process.argv.slice(2);

const node = orExit(() => {
  if (target === undefined) throw new SetupError('usage: node scripts/run.mjs <file> [arguments]');
  if (!fs.existsSync(path.join(root, target)))
    throw new SetupError(`${target} is not part of this version of Heddle.`);
  return setup();
});

const bin = path.join(root, 'node_modules', '.bin');
const child = childProcess.spawn(node, ['--conditions=@heddle/source', path.join(root, target), ...args], {
  // `bin/heddle.mjs` says where the user is; all else works on the clone.
  cwd: process.env.HEDDLE_FOLDER ?? root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}` },
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // A terminal sends Ctrl-C to the whole process group: the child has it already.
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    child.kill(signal);
  });
}

// Whoever started us may be killed without a chance to pass that on (npm's shell is): do not leave the child behind.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) child.kill('SIGTERM');
}, 500).unref();

child.on('error', (error) => {
  console.error(`heddle: cannot start ${node}: ${error.message}`);
  process.exit(1);
});

child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  // Die of the same signal, so that the caller sees what happened; our own handler must not catch it.
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
