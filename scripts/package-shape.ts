// Looks at each built library as someone who installs it would: publint for package.json, attw for its types.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from './files.ts';
import { libraries } from './workspaces.ts';

const bin = path.join(root, 'node_modules/.bin');

function look(tool: string, args: readonly string[]): boolean {
  return spawnSync(path.join(bin, tool), args, { cwd: root, stdio: 'inherit' }).status === 0;
}

for (const name of libraries()) {
  const folder = path.join('packages', name);
  const good = [
    look('publint', ['--strict', folder]),
    look('attw', ['--pack', folder, '--profile', 'esm-only']),
  ];
  if (good.includes(false)) process.exitCode = 1;
}
