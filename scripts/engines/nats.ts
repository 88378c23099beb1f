import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type AptProgram, findProgram, installProgram } from './apt.ts';
import { dataFolder } from './cache.ts';
import { type Engine, type Place, required } from './engine.ts';
import { exchange } from './exchange.ts';
import { freePlace, startServer } from './running.ts';

/** How to start NATS. */
export interface NatsOptions {
  /** Default: a free port on IPv4 loopback. */
  readonly address?: Place;
  /** Where it keeps its data, which is then not removed. Default: a folder of its own. */
  readonly folder?: string;
  /** Somebody of the system account, who may ask the server how it is configured. Default: nobody. */
  readonly systemUser?: { readonly user: string; readonly pass: string };
}

const program: AptProgram = {
  package: 'nats-server',
  program: 'nats-server',
  versionArgs: ['--version'],
  version: /v([\d.]+)/,
};

/** A single NATS server with JetStream, as Debian has it: it cannot be told to sync before it acknowledges. */
export const nats: Engine<NatsOptions> = {
  name: 'nats',
  find: () => findProgram(program),
  install: () => installProgram(program),
  verify: async () => {
    const running = await nats.start({});
    try {
      if (!(await isReady(running.address))) throw new Error('expected INFO with jetstream');
    } finally {
      await running.stop();
    }
  },
  start: async ({ address, folder, systemUser }) => {
    const { path: command } = await required(nats);
    const place = address ?? (await freePlace());
    const data = folder ?? dataFolder('nats');
    mkdirSync(data, { recursive: true });
    const file = path.join(data, 'nats.conf');
    writeFileSync(
      file,
      `listen: "${place.host}:${place.port}"\nmax_payload: 16MB\njetstream { store_dir: "${data}" }\n${accounts(systemUser)}`,
    );
    return startServer({
      name: 'nats',
      command,
      args: ['--config', file],
      address: place,
      ready: () => isReady(place),
      timeoutMs: 30_000,
      ...(folder === undefined && { folder: data }),
    });
  },
};

/** Everybody else is of an account that has JetStream, and need not say who they are. */
function accounts(system: NatsOptions['systemUser']): string {
  if (system === undefined) return '';
  return `accounts {
  $SYS { users: [ { user: "${system.user}", password: "${system.pass}" } ] }
  APPS { jetstream: enabled, users: [ { user: "anybody", password: "anybody" } ] }
}
no_auth_user: "anybody"
`;
}

async function isReady(place: Place): Promise<boolean> {
  return (await exchange(place, '')).includes('"jetstream":true');
}
