// `npm run build`: every library to its dist/, in the order of their references.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from './files.ts';
import { libraries } from './workspaces.ts';

const projects = libraries().map((name) => path.join('packages', name, 'tsconfig.build.json'));
const tsc = path.join(root, 'node_modules/.bin/tsc');
const done = spawnSync(tsc, ['-b', ...projects], { cwd: root, stdio: 'inherit' });
process.exitCode = done.status ?? 1;
