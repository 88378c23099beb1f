import path from 'node:path';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Command, type Given, usageError } from '../command.ts';
import { DevLoop } from '../dev/dev-loop.ts';
import { readUpState } from '../node/data-folder.ts';
import { requireFile, startDevProcess, watchFolder } from '../node/dev-process.ts';
import { paint } from '../terminal/terminal.ts';
import { devUsage } from './dev.usage.ts';

/** `heddle dev`. */
export const dev: Command = {
  ...devUsage,
  run: async (given, world) => {
    const [file = 'src/main.ts', ...rest] = given.words;
    if (rest.length > 0) throw usageError('"heddle dev" runs one file');
    requireFile(file);
    const env = surroundings(given);
    const { terminal } = world;
    const { timers } = nodeRuntime({ name: 'dev', logLevel: 'error' });
    const say = (text: string): void => terminal.err(`${paint(terminal, 'cyan', 'heddle dev')}  ${text}\n`);
    const loop = new DevLoop({ timers, say, start: () => startDevProcess(file, env) });
    const watched = given.text('watch') ?? path.dirname(file);
    const unwatch = watchFolder(watched, (changed) => loop.changed(changed));
    say(`${file} with ${env['HEDDLE_REGISTRY'] ?? process.env['HEDDLE_REGISTRY']}, watching ${watched}`);
    const told = new Promise<void>((resolve) => world.onSignal(() => resolve()));
    loop.start();
    await told;
    unwatch();
    await loop.stop();
    return 0;
  },
};

/** Registry and telemetry of the running `up`; nothing where the environment names a registry. */
function surroundings(given: Given): Readonly<Record<string, string>> {
  if ((process.env['HEDDLE_REGISTRY'] ?? '') !== '') return {};
  const { console, token } = readUpState(given.text('data') ?? '.heddle');
  const { host } = new URL(console);
  return {
    HEDDLE_REGISTRY: `embedded://${host}`,
    HEDDLE_REGISTRY_TOKEN: token,
    HEDDLE_TELEMETRY: host,
    HEDDLE_TRACE_RATIO: process.env['HEDDLE_TRACE_RATIO'] ?? '1',
  };
}
