import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { unpack } from './apt.ts';
import { cached, dataFolder } from './cache.ts';
import { type Engine, type Found, type Missing, type Place, type Running, required } from './engine.ts';
import { exchange } from './exchange.ts';
import { freePlace, freePort, startServer } from './running.ts';

/** How to start RabbitMQ. */
export interface RabbitMqOptions {
  /** Default: a free port on IPv4 loopback. */
  readonly address?: Place;
  /** Where it keeps its data, which is then not removed. Default: a folder of its own. */
  readonly folder?: string;
}

const name = 'rabbitmq-server';

/** A RabbitMQ node of its own: no plugins, no other node, and a port mapper that ends with it. */
export const rabbitMq: Engine<RabbitMqOptions> = {
  name: 'rabbitmq',
  find: async () => located(cached(`apt-${name}`)),
  install: async () => {
    const folder = await unpack(name);
    return typeof folder === 'string' ? located(folder) : folder;
  },
  verify: async () => {
    const running = await rabbitMq.start({});
    try {
      if (!(await speaksAmqp(running.address))) throw new Error('expected connection.start');
    } finally {
      await running.stop();
    }
  },
  start: async ({ address, folder }) => {
    const found = await required(rabbitMq);
    const place = address ?? (await freePlace());
    const data = folder ?? dataFolder('rabbitmq');
    const distribution = await freePort();
    const bin = erlangIn(data, path.resolve(found.path, '../../..'));
    const config = path.join(data, 'rabbitmq.conf');
    writeFileSync(
      config,
      [
        `listeners.tcp.1 = ${place.host}:${place.port}`,
        'log.console = true',
        'log.console.level = warning',
        'log.file = false',
        'vm_memory_high_watermark.absolute = 1GB',
        'disk_free_limit.absolute = 50MB',
        '',
      ].join('\n'),
    );
    const mapper = await startPortMapper(path.resolve(found.path, '../../..'));
    const environment = {
      ERL_EPMD_PORT: String(mapper.address.port),
      ERL_EPMD_ADDRESS: mapper.address.host,
      ERL_CRASH_DUMP: path.join(data, 'crash.dump'),
    };
    try {
      const running = await startServer({
        name: 'rabbitmq',
        command: path.join(found.path, 'sbin', 'rabbitmq-server'),
        args: [],
        address: place,
        env: {
          ...environment,
          HOME: data,
          PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}`,
          RABBITMQ_HOME: found.path,
          RABBITMQ_CONFIG_FILE: config,
          RABBITMQ_CONF_ENV_FILE: path.join(data, 'none.conf'),
          RABBITMQ_MNESIA_BASE: path.join(data, 'mnesia'),
          RABBITMQ_LOG_BASE: path.join(data, 'log'),
          RABBITMQ_ENABLED_PLUGINS_FILE: path.join(data, 'enabled_plugins'),
          RABBITMQ_NODENAME: 'heddle@localhost',
          RABBITMQ_DIST_PORT: String(distribution),
          // It is to be the process that we start, without a shell that waits for it.
          RABBITMQ_ALLOW_INPUT: '1',
          RABBITMQ_SERVER_START_ARGS: '-noinput',
          RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none`,
        },
        ready: () => speaksAmqp(place),
        timeoutMs: 90_000,
        ...(folder === undefined && { folder: data }),
      });
      const stop = async (): Promise<void> => {
        await running.stop();
        await mapper.stop();
      };
      return { ...running, stop };
    } catch (error) {
      await mapper.stop();
      throw error;
    }
  },
};

/** Erlang nodes find each other by it. Ours is stopped with its node; the one that Erlang starts by itself stays. */
async function startPortMapper(lib: string): Promise<Running> {
  const address = await freePlace();
  const root = path.join(lib, 'erlang');
  const command = path.join(root, runtimeOf(root), 'bin', 'epmd');
  const args = ['-address', address.host, '-port', String(address.port)];
  return startServer({ name: 'epmd', command, args, address });
}

function located(folder: string): Found | Missing {
  const home = path.join(folder, 'usr', 'lib', 'rabbitmq', 'lib');
  try {
    const server = readdirSync(home).find((each) => each.startsWith('rabbitmq_server-'));
    if (server !== undefined)
      return { path: path.join(home, server), version: server.slice('rabbitmq_server-'.length) };
  } catch {
    // Then it is not there.
  }
  return { missing: `${name} has not been unpacked yet` };
}

/** Erlang's own starter has the place of its package written in it: here is one that knows where it was unpacked. */
function erlangIn(data: string, lib: string): string {
  const root = path.join(lib, 'erlang');
  const bin = path.join(data, 'bin');
  mkdirSync(bin, { recursive: true });
  const file = path.join(bin, 'erl');
  const lines = [
    '#!/bin/sh',
    `ROOTDIR=${root} BINDIR=${path.join(root, runtimeOf(root), 'bin')} EMU=beam PROGNAME=erl`,
    'export ROOTDIR BINDIR EMU PROGNAME',
    'exec "$BINDIR/erlexec" "$@"',
    '',
  ];
  writeFileSync(file, lines.join('\n'));
  chmodSync(file, 0o755);
  return bin;
}

function runtimeOf(root: string): string {
  return readdirSync(root).find((each) => each.startsWith('erts-')) ?? '';
}

/** It answers the header of the protocol with a method of class 10. Source: AMQP 0-9-1, section 2.2.4. */
async function speaksAmqp(place: Place): Promise<boolean> {
  const answer = await exchange(place, 'AMQP\0\0\x09\x01');
  return answer.charCodeAt(0) === 1 && answer.charCodeAt(8) === 10;
}
