import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type AptProgram, findProgram, installProgram } from './apt.ts';
import { dataFolder } from './cache.ts';
import type { Engine, Pinned, Place } from './engine.ts';
import { required } from './engine.ts';
import { freePlace, startServer } from './running.ts';
import { verifyProxy } from './verify-proxy.ts';

/** How to start HAProxy: its sections after `global` and `defaults`, for the place it is to listen on. */
export interface HaproxyOptions extends Pinned {
  readonly sections: (listen: Place, folder: string) => string;
}

const program: AptProgram = {
  package: 'haproxy',
  program: 'haproxy',
  versionArgs: ['-v'],
  version: /version ([\d.]+)/i,
};

/** HAProxy in the foreground with one thread. */
export const haproxy: Engine<HaproxyOptions> = {
  name: 'haproxy',
  find: () => findProgram(program),
  install: () => installProgram(program),
  verify: () => verifyProxy((upstream) => haproxy.start({ sections: haproxyHttpProxy(upstream) })),
  start: async ({ sections, core }) => {
    const { path: command } = await required(haproxy);
    const address = await freePlace();
    const folder = dataFolder('haproxy');
    const file = path.join(folder, 'haproxy.cfg');
    writeFileSync(file, configOf(sections(address, folder)));
    const args = ['-db', '-f', file];
    return startServer({
      name: 'haproxy',
      command,
      args,
      address,
      folder,
      ...(core !== undefined && { core }),
    });
  },
};

/** A reverse proxy for HTTP/1.1 that shares its upstream connections. */
export function haproxyHttpProxy(upstream: Place): HaproxyOptions['sections'] {
  return (listen) => proxySections(listen, upstream, '');
}

/** A proxy for gRPC without TLS. */
export function haproxyGrpcProxy(upstream: Place): HaproxyOptions['sections'] {
  return (listen) => proxySections(listen, upstream, ' proto h2');
}

function proxySections(listen: Place, upstream: Place, protocol: string): string {
  return `
frontend in
  bind ${listen.host}:${listen.port}${protocol}
  default_backend out
backend out
  http-reuse always
  server upstream ${upstream.host}:${upstream.port}${protocol}
`;
}

function configOf(sections: string): string {
  return `
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
${sections}`;
}
