// Alertmanager and its command line, built from their published module: Debian's looks for its templates below /usr/share,
// where nothing of ours is put.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { dataFolder } from './cache.ts';
import { run } from './command.ts';
import { type Engine, type Place, required, type Tool } from './engine.ts';
import { buildWithGo, findBuilt, type GoBuild } from './go.ts';
import { freePlace, startServer } from './running.ts';

const version = '0.27.0';

const buildOf = (program: string): GoBuild => ({
  key: `alertmanager-${version}`,
  version,
  program,
  // Measured cold: about 75 s of CPU; others may use the cores too.
  limitMs: 900_000,
  commands: () => [
    [
      'install',
      '-trimpath',
      '-ldflags=-s -w',
      ...['alertmanager', 'amtool'].map(
        (name) => `github.com/prometheus/alertmanager/cmd/${name}@v${version}`,
      ),
    ],
  ],
});
const build = buildOf('alertmanager');

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
  find: () => findBuilt(build),
  install: () => buildWithGo(build),
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
  find: () => findBuilt(buildOf('amtool')),
  install: () => buildWithGo(buildOf('amtool')),
  verify: async ({ path: command }) => {
    const { code } = await run(command, ['--help']);
    if (code !== 0) throw new Error(`amtool --help ended with ${code}`);
  },
};
