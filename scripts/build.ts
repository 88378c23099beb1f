// `npm run build`: all that is published to its dist/, in the order of the references; the console is built by the setup.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { root } from './files.ts';
import { publishedFolders } from './workspaces.ts';

const projects = publishedFolders()
  .map((folder) => path.join(folder, 'tsconfig.build.json'))
  .filter((file) => existsSync(path.join(root, file)));
const tsc = path.join(root, 'node_modules/.bin/tsc');
const done = spawnSync(tsc, ['-b', ...projects], { cwd: root, stdio: 'inherit' });
process.exitCode = done.status ?? 1;
