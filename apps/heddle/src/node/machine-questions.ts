// What `heddle doctor` asks of this machine.
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { embeddedPostgres, removeEmbeddedPostgres, sqlPool } from '@heddle/sql';
import type { MachineQuestions } from '../doctor/machine-checks.ts';
import { readUpState } from './data-folder.ts';
import { requireNode } from './require-node.ts';
import { requirePort } from './require-port.ts';

/** The questions, for a data folder. */
export function machineQuestions(folder: string, runtime: Runtime): MachineQuestions {
  return {
    node: () => {
      requireNode(process.versions.node);
      return `${process.versions.node} on ${process.platform} ${process.arch}`;
    },
    running: () => readUpState(folder),
    dataFolder: () => writable(path.resolve(folder)),
    port: (port, whose, option) => requirePort('127.0.0.1', port, whose, option),
    postgres: () => postgresVersion(runtime),
  };
}

/** The folder may be made later: then the nearest one above it that is there counts. */
function writable(folder: string): string {
  let nearest = folder;
  while (!existsSync(nearest)) nearest = path.dirname(nearest);
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
    return folder;
  } catch {
    const message = `${nearest} cannot be written by this user. Choose another folder with --data DIR.`;
    throw new HeddleError({ code: 'permission_denied', reason: 'DATA_FOLDER_DENIED', message });
  }
}

async function postgresVersion(runtime: Runtime): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-doctor-'));
  const server = embeddedPostgres({ runtime, folder });
  try {
    await server.start();
    const pool = sqlPool(await server.createDatabase('doctor'), { runtime });
    const [row] = await pool.query<{ version: string }>("select split_part(version(), ' on ', 1) as version");
    await pool.stop();
    return `${row?.version ?? 'it'} starts and answers`;
  } finally {
    await server.stop();
    await removeEmbeddedPostgres(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}
