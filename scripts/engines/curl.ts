import { type AptProgram, findProgram, installProgram } from './apt.ts';
import { lastWords, run } from './command.ts';
import type { Tool } from './engine.ts';
import { withHttpServer } from './verify-proxy.ts';

const program: AptProgram = {
  package: 'curl',
  program: 'curl',
  versionArgs: ['--version'],
  version: /^curl ([\d.]+)/,
};

/** The HTTP client that everybody has, over libcurl and nghttp2. */
export const curl: Tool = {
  name: 'curl',
  find: () => findProgram(program),
  install: () => installProgram(program),
  verify: ({ path }) =>
    withHttpServer(async ({ host, port }) => {
      const ended = await run(path, ['--silent', '--show-error', `http://${host}:${port}/`]);
      if (ended.output !== 'hello') throw new Error(lastWords(ended.output));
    }),
};
