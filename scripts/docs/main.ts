// `npm run docs [-- --out DIR]`: the pages of the repository and the reference of every package as one searchable site
// of plain files, which needs no server and no network.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../files.ts';
import { writeSite } from './site.ts';

const { values } = parseArgs({ options: { out: { type: 'string', default: path.join(root, 'site') } } });
rmSync(values.out, { recursive: true, force: true });
const { pages, packages, problems } = await writeSite(values.out);
for (const problem of problems) console.error(problem);
console.log(`${pages} pages and the reference of ${packages} entry points in ${values.out}/index.html`);
process.exitCode = problems.length === 0 ? 0 : 1;
