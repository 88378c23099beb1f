// Jaeger: its collector, its store in memory and its query service in one process, built from its published module. What its user
// interface consists of is not in the module; in its place there is one page that says so.
import path from 'node:path';
import { contentKey } from './cache.ts';
import { type Engine, type Place, required } from './engine.ts';
import { buildWithGo, findBuilt, type GoBuild } from './go.ts';
import { freePlace, startServer } from './running.ts';

const source = path.join(import.meta.dirname, 'jaeger');

const build: GoBuild = {
  key: `jaeger-${contentKey(source)}`,
  version: '1.76.0',
  program: 'jaeger',
  cwd: source,
  limitMs: 1_500_000,
  commands: (folder) => [
    [
      'build',
      '-trimpath',
      '-ldflags=-s -w',
      '-o',
      path.join(folder, 'jaeger'),
      'github.com/jaegertracing/jaeger/cmd/all-in-one',
    ],
  ],
};

/** Where a Jaeger takes what. */
export interface JaegerOptions {
  /** Of its query API. Default: any free one. */
  readonly address?: Place;
  /** Where it takes OTLP over HTTP. Default: any free one. */
  readonly otlp?: Place;
}

/** One Jaeger, which keeps in memory what it is sent. */
export const jaeger: Engine<JaegerOptions> = {
  name: 'jaeger',
  onDemand: true,
  find: () => findBuilt(build),
  install: () => buildWithGo(build),
  verify: async () => {
    const server = await jaeger.start({});
    await server.stop();
  },
  start: async (options) => {
    const { path: command } = await required(jaeger);
    const address = options.address ?? (await freePlace());
    const places = {
      'query.http-server.host-port': address,
      'collector.otlp.http.host-port': options.otlp ?? (await freePlace()),
    };
    // It has many more, which are all to be out of the way.
    const others = [
      'query.grpc-server.host-port',
      'collector.otlp.grpc.host-port',
      'collector.grpc-server.host-port',
      'collector.http-server.host-port',
      'http-server.host-port',
      'admin.http.host-port',
    ];
    const args = Object.entries(places).map(([flag, place]) => `--${flag}=${textOf(place)}`);
    for (const flag of others) args.push(`--${flag}=${textOf(await freePlace())}`);
    return startServer({
      name: 'jaeger',
      command,
      args: [...args, '--log-level=error'],
      address,
      timeoutMs: 120_000,
      ready: () => answers(address),
    });
  },
};

function textOf({ host, port }: Place): string {
  return `${host}:${port}`;
}

async function answers(address: Place): Promise<boolean> {
  try {
    return (await fetch(`http://${textOf(address)}/api/services`)).ok;
  } catch {
    return false;
  }
}
