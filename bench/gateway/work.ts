// The measurements by name: who takes part, and what one turn is.
import path from 'node:path';
import { envoy, envoyHttpProxy } from '../../scripts/engines/envoy.ts';
import type { Place } from '../../scripts/engines/engine.ts';
import { haproxy, haproxyHttpProxy } from '../../scripts/engines/haproxy.ts';
import { nginx, nginxHttpProxy } from '../../scripts/engines/nginx.ts';
import { startPeer } from '../../scripts/engines/peer.ts';
import { type Contender, engine, subject, subjectCore } from '../wire/contender.ts';
import { verifyHttp } from '../wire/verify.ts';
import type { Work } from '../wire/work.ts';
import type { IdentityFiles } from './identity.ts';
import { type Asking, loadFull, warmUp } from './load.ts';
import { bearerToken } from './token.ts';

const size = 200;
/** What is asked for, of everybody. */
export const target: string = `/${size}`;

/** Our gateway in one of its configurations. */
function gateway(name: string, kind: string, files: readonly string[] = []): Contender {
  return own(name, 'heddle-gateway.ts', [kind, ...files]);
}

function own(name: string, file: string, more: readonly string[]): Contender {
  const program = path.join(import.meta.dirname, 'subjects', file);
  return {
    name,
    collects: true,
    missing: async () => undefined,
    start: ({ host, port }) =>
      startPeer({
        name: file,
        command: process.execPath,
        args: ['--conditions=@heddle/source', '--expose-gc', program, `${host}:${port}`, ...more],
        core: subjectCore,
      }),
  };
}

/** The proxies that are not ours, in clear text. */
const others: readonly Contender[] = [
  engine(nginx, (upstream) => ({ http: nginxHttpProxy(upstream) })),
  engine(haproxy, (upstream) => ({ sections: haproxyHttpProxy(upstream) })),
  engine(envoy, (upstream) => ({ resources: envoyHttpProxy(upstream) })),
];

const nodeGateways: readonly Contender[] = [
  subject('best-node/fastify-http-proxy', 'proxy-fastify.ts'),
  subject('best-node/http-proxy-3', 'proxy-http-proxy-3.ts'),
  subject('best-node/httpxy', 'proxy-httpxy.ts'),
  subject('best-node/fast-gateway', 'proxy-fast-gateway.ts'),
  own('best-node/moleculer-web', 'moleculer-web.ts', []),
];

/** Those whose latency is measured. */
export const latencyContenders: readonly Contender[] = [gateway('heddle', 'one'), ...others];

/** All measurements of CPU time, in the order of the documentation. */
export function worksWith(files: IdentityFiles): readonly Work[] {
  const headers = { authorization: `Bearer ${bearerToken()}` };
  return [
    work('plain', [gateway('heddle', 'one'), ...others, ...nodeGateways], { target }),
    work('jwt-limit-metrics-log', [gateway('heddle', 'guarded'), ...others], { target, headers }),
    work('routes-1000', [gateway('heddle', 'many'), gateway('one-route', 'one')], { target }),
    work('tls', [gateway('heddle', 'tls', [files.certificate, files.key]), ...secured(files)], {
      target,
      secure: true,
    }),
  ];
}

function work(name: string, contenders: readonly Contender[], asking: Asking): Work {
  return {
    name,
    each: 'request',
    upstream: 'http1',
    contenders,
    verify: async (running) => {
      if (asking.headers !== undefined) await verifyKnown(running.address, asking);
      // The certificate is nobody's that `fetch` would know: the load itself looks at each status.
      else if (asking.secure !== true) await verifyHttp(running.address, target, size);
      await warmUp(running.address, asking);
    },
    turn: (running, durationMs) => loadFull(running.address, asking, durationMs),
  };
}

/** With the token; the others of that measurement are plain, and do not look at it. */
async function verifyKnown({ host, port }: Place, asking: Asking): Promise<void> {
  const url = `http://${host}:${port}${asking.target}`;
  const known = await fetch(url, { headers: { ...asking.headers, connection: 'close' } });
  const { byteLength } = await known.arrayBuffer();
  if (known.status !== 200 || byteLength !== size) throw new Error(`expected 200, found ${known.status}`);
}

function secured({ certificate, key, both }: IdentityFiles): readonly Contender[] {
  return [
    engine(nginx, (upstream) => ({
      http: (listen, folder) =>
        nginxHttpProxy(upstream)(listen, folder).replace(
          `listen ${listen.host}:${listen.port};`,
          `listen ${listen.host}:${listen.port} ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key};`,
        ),
    })),
    engine(haproxy, (upstream) => ({
      sections: (listen, folder) =>
        haproxyHttpProxy(upstream)(listen, folder).replace(
          `bind ${listen.host}:${listen.port}`,
          `bind ${listen.host}:${listen.port} ssl crt ${both}`,
        ),
    })),
    engine(envoy, (upstream) => ({ resources: envoyHttpProxy(upstream, { certificate, key }) })),
  ];
}
