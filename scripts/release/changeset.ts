// `npm run changeset`: the changesets command with the Node of this repository.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from '../files.ts';

const command = path.join(root, 'node_modules/@changesets/cli/bin.js');
const done = spawnSync(process.execPath, [command, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = done.status ?? 1;
