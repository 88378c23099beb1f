// nghttp2's programs: the proxy nghttpx and the load generator h2load.
import { type AptProgram, findProgram, installProgram } from './apt.ts';
import { lastWords, run } from './command.ts';
import type { Engine, Pinned, Place, Tool } from './engine.ts';
import { required } from './engine.ts';
import { freePlace, startServer } from './running.ts';
import { verifyProxy, withHttpServer } from './verify-proxy.ts';

/** How to start nghttpx. */
export interface NghttpxOptions extends Pinned {
  readonly upstream: Place;
  /** What the upstream speaks without TLS; in front it takes both. */
  readonly protocol: 'h2' | 'http/1.1';
}

const proxy: AptProgram = {
  package: 'nghttp2-proxy',
  program: 'nghttpx',
  versionArgs: ['--version'],
  version: /nghttp2\/([\d.]+)/,
};

/** nghttpx as one process with one thread. */
export const nghttpx: Engine<NghttpxOptions> = {
  name: 'nghttpx',
  find: () => findProgram(proxy),
  install: () => installProgram(proxy),
  verify: () => verifyProxy((upstream) => nghttpx.start({ upstream, protocol: 'http/1.1' })),
  start: async ({ upstream, protocol, core }) => {
    const { path: command } = await required(nghttpx);
    const address = await freePlace();
    const args = [
      '--conf=/dev/null',
      '--single-process',
      '--single-thread',
      '--errorlog-file=/dev/stderr',
      `--frontend=${address.host},${address.port};no-tls`,
      `--backend=${upstream.host},${upstream.port};;proto=${protocol}`,
    ];
    return startServer({ name: 'nghttpx', command, args, address, ...(core !== undefined && { core }) });
  },
};

const load: AptProgram = {
  package: 'nghttp2-client',
  program: 'h2load',
  versionArgs: ['--version'],
  version: /nghttp2\/([\d.]+)/,
};

/** The client for HTTP/2 that shows its frames. */
export const nghttp: Tool = {
  name: 'nghttp',
  find: () => findProgram({ ...load, program: 'nghttp' }),
  install: () => installProgram({ ...load, program: 'nghttp' }),
  verify: async ({ path }) => {
    const ended = await run(path, ['--version']);
    if (ended.code !== 0) throw new Error(lastWords(ended.output));
  },
};

/** The load generator for HTTP/2. */
export const h2load: Tool = {
  name: 'h2load',
  find: () => findProgram(load),
  install: () => installProgram(load),
  verify: ({ path }) =>
    withHttpServer(async ({ host, port }) => {
      const ended = await run(path, ['--h1', '-n10', '-c1', `http://${host}:${port}/`]);
      if (!ended.output.includes('10 succeeded')) throw new Error(lastWords(ended.output));
    }),
};
