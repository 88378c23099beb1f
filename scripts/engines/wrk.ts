import { type AptProgram, findProgram, installProgram } from './apt.ts';
import { lastWords, run } from './command.ts';
import type { Tool } from './engine.ts';
import { withHttpServer } from './verify-proxy.ts';

const program: AptProgram = {
  package: 'wrk',
  program: 'wrk',
  versionArgs: ['-v'],
  version: /wrk (?:debian\/)?([\d.]+)/,
};

/** The load generator for HTTP/1.1. */
export const wrk: Tool = {
  name: 'wrk',
  find: () => findProgram(program),
  install: () => installProgram(program),
  verify: ({ path }) =>
    withHttpServer(async ({ host, port }) => {
      const ended = await run(path, ['-t1', '-c1', '-d1s', `http://${host}:${port}/`]);
      if (!/^\s*[1-9]\d* requests in/m.test(ended.output)) throw new Error(lastWords(ended.output));
    }),
};
