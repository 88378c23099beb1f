import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type AptProgram, findProgram, installProgram } from './apt.ts';
import { dataFolder } from './cache.ts';
import { type Engine, type Pinned, type Place, required } from './engine.ts';
import { freePlace, startServer } from './running.ts';

const program: AptProgram = {
  package: 'prometheus',
  program: 'prometheus',
  versionArgs: ['--version'],
  version: /prometheus, version ([\d.]+)/,
};

/** How Prometheus is started. */
export interface PrometheusOptions extends Pinned {
  /** What it scrapes, as `host:port`. Default nothing. */
  readonly targets?: readonly string[];
  /** How often, as in `200ms`. Default `1s`. */
  readonly interval?: string;
  /** More of its configuration, in YAML. Default none. */
  readonly configuration?: string;
  /** Files of rules beside the configuration, by name. Default none. */
  readonly rules?: Readonly<Record<string, string>>;
  /** Default: any free one. */
  readonly address?: Place;
}

/** One Prometheus that scrapes what it is told to. */
export const prometheus: Engine<PrometheusOptions> = {
  name: 'prometheus',
  find: () => findProgram(program),
  install: () => installProgram(program),
  verify: async () => {
    const server = await prometheus.start({});
    await server.stop();
  },
  start: async ({ targets = [], interval = '1s', configuration = '', rules = {}, core, ...options }) => {
    const { path: command } = await required(prometheus);
    const address = options.address ?? (await freePlace());
    const folder = dataFolder('prometheus');
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of Object.entries(rules)) writeFileSync(path.join(folder, name), content);
    const file = path.join(folder, 'prometheus.yml');
    const list = targets.map((target) => JSON.stringify(target)).join(', ');
    const global = `global: {scrape_interval: ${interval}, scrape_timeout: ${interval}, evaluation_interval: ${interval}}`;
    const jobs = `scrape_configs:\n  - job_name: heddle\n    static_configs: [{targets: [${list}]}]`;
    const files = Object.keys(rules).length === 0 ? '' : `rule_files: ${JSON.stringify(Object.keys(rules))}`;
    writeFileSync(file, [global, files, jobs, configuration, ''].join('\n'));
    const place = `${address.host}:${address.port}`;
    return startServer({
      name: 'prometheus',
      command,
      args: [
        `--config.file=${file}`,
        `--storage.tsdb.path=${path.join(folder, 'data')}`,
        `--web.listen-address=${place}`,
      ],
      address,
      folder,
      timeoutMs: 60_000,
      ...(core !== undefined && { core }),
      ready: async () => {
        try {
          return (await fetch(`http://${place}/-/ready`, { signal: AbortSignal.timeout(1000) })).ok;
        } catch {
          return false;
        }
      },
    });
  },
};
