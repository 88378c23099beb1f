import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type AptProgram, findProgram, installProgram } from './apt.ts';
import { dataFolder } from './cache.ts';
import { run } from './command.ts';
import { type Engine, type Place, required, type Tool } from './engine.ts';
import { freePlace, startServer } from './running.ts';

const program: AptProgram = {
  package: 'prometheus-alertmanager',
  program: 'prometheus-alertmanager',
  versionArgs: ['--version'],
  version: /alertmanager, version ([\d.]+)/,
};

/** How Alertmanager is started. */
export interface AlertmanagerOptions {
  /** Its configuration, in YAML. */
  readonly configuration: string;
  /** Default: any free one. */
  readonly address?: Place;
}

/** One Alertmanager, alone. */
export const alertmanager: Engine<AlertmanagerOptions> = {
  name: 'alertmanager',
  find: () => findProgram(program),
  install: () => installProgram(program),
  verify: async () => {
    const configuration = 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n';
    const server = await alertmanager.start({ configuration });
    await server.stop();
  },
  start: async ({ configuration, ...options }) => {
    const { path: command } = await required(alertmanager);
    const address = options.address ?? (await freePlace());
    const folder = dataFolder('alertmanager');
    const file = path.join(folder, 'alertmanager.yml');
    writeFileSync(file, configuration);
    const place = `${address.host}:${address.port}`;
    return startServer({
      name: 'alertmanager',
      command,
      args: [
        `--config.file=${file}`,
        `--storage.path=${path.join(folder, 'data')}`,
        `--web.listen-address=${place}`,
        '--cluster.listen-address=',
      ],
      address,
      folder,
      timeoutMs: 60_000,
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

/** Alertmanager's command line. */
export const amtool: Tool = {
  name: 'amtool',
  find: () => findProgram({ ...program, program: 'amtool', version: /amtool, version ([\d.]+)/ }),
  install: () => installProgram({ ...program, program: 'amtool', version: /amtool, version ([\d.]+)/ }),
  verify: async ({ path: command }) => {
    const { code } = await run(command, ['--help']);
    if (code !== 0) throw new Error(`amtool --help ended with ${code}`);
  },
};
