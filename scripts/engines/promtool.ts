import { type AptProgram, findProgram, installProgram } from './apt.ts';
import { run } from './command.ts';
import type { Tool } from './engine.ts';

const program: AptProgram = {
  package: 'prometheus',
  program: 'promtool',
  versionArgs: ['--version'],
  version: /promtool, version ([\d.]+)/,
};

/** Prometheus' checker of expositions and rules. */
export const promtool: Tool = {
  name: 'promtool',
  find: () => findProgram(program),
  install: () => installProgram(program),
  verify: async ({ path }) => {
    const { code } = await run(path, ['--help']);
    if (code !== 0) throw new Error(`promtool --help ended with ${code}`);
  },
};
