import { run } from './command.ts';
import type { Tool } from './engine.ts';
import { buildWithGo, findBuilt, type GoBuild } from './go.ts';

// The newest that Go's proxy has: later ones name their module in a way that it refuses.
const version = '2.2.1';

const build: GoBuild = {
  key: `h2spec-${version}`,
  version,
  program: 'h2spec',
  commands: () => [['install', `github.com/summerwind/h2spec/cmd/h2spec@v${version}+incompatible`]],
};

/** The conformance test for HTTP/2 servers. */
export const h2spec: Tool = {
  name: 'h2spec',
  find: () => findBuilt(build),
  install: () => buildWithGo(build),
  verify: async ({ path }) => {
    const listed = await run(path, ['--dryrun']);
    if (!listed.output.includes('Sends multiple HEADERS frames with END_STREAM flag') && listed.code !== 0)
      throw new Error(listed.output.slice(-200));
  },
};
