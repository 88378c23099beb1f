// An OpenTelemetry collector, put together of its makers' own parts as their builder does it: OTLP in, OTLP out.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { contentKey, dataFolder } from './cache.ts';
import { type Engine, type Place, required } from './engine.ts';
import { buildWithGo, findBuilt, type GoBuild } from './go.ts';
import { freePlace, startServer } from './running.ts';

const source = path.join(import.meta.dirname, 'otel-collector');
const version =
  /collector\/otelcol v([\d.]+)/.exec(readFileSync(path.join(source, 'go.mod'), 'utf8'))?.[1] ?? '';

const build: GoBuild = {
  key: `otel-collector-${contentKey(source)}`,
  version,
  program: 'otel-collector',
  cwd: source,
  limitMs: 900_000,
  commands: (folder) => [
    ['build', '-trimpath', '-ldflags=-s -w', '-o', path.join(folder, 'otel-collector'), '.'],
  ],
};

/** How a collector is started. */
export interface OtelCollectorOptions {
  /** Who gets what it takes in, by OTLP over HTTP. */
  readonly to: Place;
  /** The token that it shows there. */
  readonly token: string;
  /** Where it takes OTLP over HTTP; default: any free place. */
  readonly address?: Place;
  /** Where it takes OTLP over gRPC; default: any free place. */
  readonly grpc?: Place;
}

/** One collector that passes spans and metrics on. */
export const otelCollector: Engine<OtelCollectorOptions> = {
  name: 'otel-collector',
  find: () => findBuilt(build),
  install: () => buildWithGo(build),
  verify: async () => {
    const server = await otelCollector.start({ to: { host: '127.0.0.1', port: 9 }, token: '' });
    await server.stop();
  },
  start: async ({ to, token, ...options }) => {
    const { path: command } = await required(otelCollector);
    const [address, grpc] = [options.address ?? (await freePlace()), options.grpc ?? (await freePlace())];
    const folder = dataFolder('otel-collector');
    mkdirSync(folder, { recursive: true });
    const file = path.join(folder, 'collector.yaml');
    writeFileSync(file, configurationOf({ http: address, grpc, to, token }));
    return startServer({
      name: 'otel-collector',
      command,
      args: ['--config', `file:${file}`],
      address,
      folder,
      timeoutMs: 60_000,
    });
  },
};

function configurationOf(given: {
  readonly http: Place;
  readonly grpc: Place;
  readonly to: Place;
  readonly token: string;
}): string {
  const textOf = ({ host, port }: Place): string => `${host}:${port}`;
  return JSON.stringify({
    receivers: {
      otlp: { protocols: { http: { endpoint: textOf(given.http) }, grpc: { endpoint: textOf(given.grpc) } } },
    },
    exporters: {
      otlp_http: {
        endpoint: `http://${textOf(given.to)}`,
        headers: { authorization: `Bearer ${given.token}` },
        sending_queue: { enabled: false },
      },
    },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: {
        traces: { receivers: ['otlp'], exporters: ['otlp_http'] },
        metrics: { receivers: ['otlp'], exporters: ['otlp_http'] },
      },
    },
  });
}
