import { run } from './command.ts';
import type { Tool } from './engine.ts';
import { buildWithGo, findBuilt, type GoBuild } from './go.ts';

const version = '1.9.3';

const build: GoBuild = {
  key: `grpcurl-${version}`,
  version,
  program: 'grpcurl',
  commands: () => [['install', `github.com/fullstorydev/grpcurl/cmd/grpcurl@v${version}`]],
};

/** The command line client that finds out by reflection what a server serves. */
export const grpcurl: Tool = {
  name: 'grpcurl',
  find: () => findBuilt(build),
  install: () => buildWithGo(build),
  verify: async ({ path }) => {
    const said = await run(path, ['-version']);
    if (said.code !== 0) throw new Error(said.output.slice(-200));
  },
};
