import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TlsIdentity } from '@heddle/kernel';
import { dataFolder } from './cache.ts';
import { type Engine, type Place, required, type Running } from './engine.ts';
import { assemble, findAssembled, javaArgs, type MavenBuild } from './maven.ts';
import { freePlace, startServer } from './running.ts';

/** How to start Eureka. */
export interface EurekaOptions {
  /** Default: a free port on IPv4 loopback. */
  readonly address?: Place;
  readonly tls?: TlsIdentity;
  /** Asked for by HTTP Basic. */
  readonly user?: { readonly name: string; readonly password: string };
  /** Keeps entries whose leases have lapsed while more than 15 % of the renewals are missing. Default off. */
  readonly selfPreservation?: boolean;
  /** Servers that it tells of what it is told. */
  readonly peers?: readonly Place[];
}

const build: MavenBuild = {
  name: 'eureka',
  version: 'Spring Cloud 2025.0.0',
  source: path.join(import.meta.dirname, 'eureka'),
};

/** A Eureka server that looks for lapsed leases ten times a second and answers from what it knows, not from a cache. */
export const eureka: Engine<EurekaOptions> = {
  name: 'eureka',
  find: () => findAssembled(build),
  install: () => assemble(build),
  verify: async () => {
    const running = await eureka.start({});
    try {
      const { host, port } = running.address;
      const answer = await fetch(`http://${host}:${port}/eureka/apps`, {
        headers: { accept: 'application/json' },
      });
      const text = await answer.text();
      if (!text.includes('apps__hashcode')) throw new Error(`expected applications, found ${text}`);
    } finally {
      await running.stop();
    }
  },
  start: async (options) => {
    try {
      return await startAt(options.address ?? (await freePlace()), options);
    } catch (error) {
      // Its machine takes seconds to listen, and meanwhile another program may have taken the port.
      const taken = error instanceof Error && error.message.includes('ended at once');
      if (options.address !== undefined || !taken) throw error;
      return startAt(await freePlace(), options);
    }
  },
};

async function startAt(address: Place, options: EurekaOptions): Promise<Running> {
  const found = await required(eureka);
  const folder = dataFolder('eureka');
  const args = [
    ...javaArgs(found.path, 'heddle.engines.EurekaMain', {}),
    ...argsOf(address, folder, options),
  ];
  return startServer({
    name: 'eureka',
    command: 'java',
    args,
    address,
    folder,
    timeoutMs: 180_000,
    ready: (running) => running.output().includes('Started EurekaMain') && answers(address, options),
  });
}

/** Its first answers take seconds, for then most of it is loaded. Over TLS that is left to whoever comes first. */
async function answers({ host, port }: Place, { user, tls }: EurekaOptions): Promise<boolean> {
  if (tls !== undefined) return true;
  const headers = new Headers({ accept: 'application/json' });
  if (user !== undefined)
    headers.set('authorization', `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`);
  const place = host.includes(':') ? `[${host}]` : host;
  for (const path of ['apps', 'apps/delta', 'apps/NONE']) {
    const answer = await fetch(`http://${place}:${port}/eureka/${path}`, { headers }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status !== 200 && answer?.status !== 404) return false;
  }
  return true;
}

function argsOf(
  address: Place,
  folder: string,
  { tls, user, selfPreservation, peers = [] }: EurekaOptions,
): string[] {
  const zone = peers.map(({ host, port }) => `http://${host}:${port}/eureka/`).join(',');
  const properties: Record<string, string> = {
    'server.port': String(address.port),
    'server.address': address.host,
    'eureka.instance.hostname': `${address.host.includes(':') ? 'localhost' : address.host}`,
    'eureka.instance.prefer-ip-address': 'true',
    'eureka.client.register-with-eureka': 'false',
    'eureka.client.fetch-registry': 'false',
    'eureka.server.eviction-interval-timer-in-ms': '100',
    'eureka.server.enable-self-preservation': String(selfPreservation ?? false),
    'eureka.server.renewal-threshold-update-interval-ms': '1000',
    'eureka.server.expected-client-renewal-interval-seconds': '1',
    'eureka.server.use-read-only-response-cache': 'false',
    // An answer that was being made when something changed is kept without that change until it expires: else 180 s.
    'eureka.server.response-cache-auto-expiration-in-seconds': '1',
    'eureka.server.wait-time-in-ms-when-sync-empty': '0',
    'spring.main.lazy-initialization': 'false',
  };
  if (zone !== '') properties['eureka.client.service-url.defaultZone'] = zone;
  if (user !== undefined) {
    properties['spring.security.user.name'] = user.name;
    properties['spring.security.user.password'] = user.password;
  }
  if (tls !== undefined) {
    writeFileSync(path.join(folder, 'chain.pem'), tls.certificates);
    writeFileSync(path.join(folder, 'key.pem'), tls.privateKey);
    properties['server.ssl.certificate'] = path.join(folder, 'chain.pem');
    properties['server.ssl.certificate-private-key'] = path.join(folder, 'key.pem');
  }
  return Object.entries(properties).map(([name, value]) => `--${name}=${value}`);
}
