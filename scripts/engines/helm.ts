// Helm's loader, linter and template engine, built from its published module.
import path from 'node:path';
import { contentKey } from './cache.ts';
import { lastWords, run } from './command.ts';
import type { Tool } from './engine.ts';
import { buildWithGo, findBuilt, type GoBuild } from './go.ts';

const source = path.join(import.meta.dirname, 'helm');

const build: GoBuild = {
  key: `helm-render-${contentKey(source)}`,
  version: '3.16.4',
  program: 'helm-render',
  cwd: source,
  // Much less than Helm itself, which brings clients of clusters and registries.
  limitMs: 1_200_000,
  commands: (folder) => [
    ['build', '-p=2', '-trimpath', '-ldflags=-s -w', '-o', path.join(folder, 'helm-render'), '.'],
  ],
};

/** `helm-render lint|template <chart> [values.yaml]`; lint is strict, and fails on a warning. */
export const helm: Tool = {
  name: 'helm',
  find: () => findBuilt(build),
  install: () => buildWithGo(build),
  verify: async (found) => {
    const chart = path.join(import.meta.dirname, '../../deploy/helm/heddle');
    const done = await run(found.path, ['lint', chart], { timeoutMs: 60_000 });
    if (done.code !== 0) throw new Error(lastWords(done.output));
  },
};
