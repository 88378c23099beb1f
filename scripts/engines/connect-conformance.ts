import { lastWords, run } from './command.ts';
import type { Tool } from './engine.ts';
import { buildWithGo, findBuilt, type GoBuild } from './go.ts';

const version = '1.0.7';

const build: GoBuild = {
  key: `connectconformance-${version}`,
  version,
  program: 'connectconformance',
  commands: () => [['install', `connectrpc.com/conformance/cmd/connectconformance@v${version}`]],
};

/** Connect's conformance suite, for servers and clients of Connect, gRPC and gRPC-Web. */
export const connectConformance: Tool = {
  name: 'connectconformance',
  find: () => findBuilt(build),
  install: () => buildWithGo(build),
  verify: async ({ path }) => {
    const told = await run(path, ['--version']);
    if (told.code !== 0) throw new Error(lastWords(told.output));
  },
};
