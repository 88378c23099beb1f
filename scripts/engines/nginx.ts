import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type AptProgram, findProgram, installProgram } from './apt.ts';
import { dataFolder } from './cache.ts';
import type { Engine, Pinned, Place } from './engine.ts';
import { required } from './engine.ts';
import { freePlace, startServer } from './running.ts';
import { verifyProxy } from './verify-proxy.ts';

/** How to start nginx: the content of its `http` block, for the place it is to listen on. */
export interface NginxOptions extends Pinned {
  readonly http: (listen: Place, folder: string) => string;
}

const program: AptProgram = {
  package: 'nginx',
  program: 'nginx',
  versionArgs: ['-v'],
  version: /nginx\/([\d.]+)/,
};

/** nginx as a single process, so that its CPU time is that of one process id. */
export const nginx: Engine<NginxOptions> = {
  name: 'nginx',
  find: () => findProgram(program),
  install: () => installProgram(program),
  verify: () => verifyProxy((upstream) => nginx.start({ http: nginxHttpProxy(upstream) })),
  start: async ({ http, core }) => {
    const { path: command } = await required(nginx);
    const address = await freePlace();
    const folder = dataFolder('nginx');
    mkdirSync(path.join(folder, 'tmp'));
    const file = path.join(folder, 'nginx.conf');
    writeFileSync(file, configOf(folder, http(address, folder)));
    // -e: otherwise it writes to the machine's log before it has read where its own is.
    const args = ['-e', path.join(folder, 'error.log'), '-p', folder, '-c', file];
    return startServer({
      name: 'nginx',
      command,
      args,
      address,
      folder,
      ...(core !== undefined && { core }),
    });
  },
};

/** A reverse proxy for HTTP/1.1 that keeps its upstream connections. */
export function nginxHttpProxy(upstream: Place): NginxOptions['http'] {
  return (listen) => `
    upstream backend { server ${upstream.host}:${upstream.port}; keepalive 128; keepalive_requests 1000000000; }
    server {
      listen ${listen.host}:${listen.port};
      location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }`;
}

/** A proxy for gRPC without TLS. */
export function nginxGrpcProxy(upstream: Place): NginxOptions['http'] {
  return (listen) => `
    upstream backend { server ${upstream.host}:${upstream.port}; keepalive 128; keepalive_requests 1000000000; }
    server {
      listen ${listen.host}:${listen.port} http2;
      location / { grpc_pass grpc://backend; }
    }`;
}

function configOf(folder: string, http: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((each) => `  ${each}_temp_path ${folder}/tmp/${each};`)
    .join('\n');
  return `
daemon off;
master_process off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
${temporary}
${http}
}
`;
}
