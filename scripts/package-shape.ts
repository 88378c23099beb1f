// Looks at each built package as someone who installs it would: publint for package.json, attw for its types.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from './files.ts';
import { libraries, publishedFolders } from './workspaces.ts';

const bin = path.join(root, 'node_modules/.bin');

function look(tool: string, args: readonly string[]): boolean {
  return spawnSync(path.join(bin, tool), args, { cwd: root, stdio: 'inherit' }).status === 0;
}

const checks = [
  ...publishedFolders().map((folder) => () => look('publint', ['--strict', folder])),
  // Only libraries are imported by types.
  ...libraries().map((name) => () => look('attw', ['--pack', `packages/${name}`, '--profile', 'esm-only'])),
];
if (checks.map((check) => check()).includes(false)) process.exitCode = 1;
