// The fault matrix: every pattern with every fault, and the money counted after each.
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nodeRuntime } from '@heddle/kernel/node';
import { embeddedPostgres } from '@heddle/sql';
import { dataFolder } from '../../engines/cache.ts';
import { isMissing, obtain, type Running } from '../../engines/engine.ts';
import { mariadb } from '../../engines/mariadb.ts';
import { type Contract, type ContractResult, resultOf } from '../result.ts';
import { mariadbBarrier } from './mariadb-barrier.ts';
import { type Fault, play, type Servers } from './stage.ts';

/** The backends of the contract. */
const backends = ['saga', 'twophase', 'tcc', 'outbox', 'reliable-message', 'notify'] as const;

const roles = ['coordinator', 'participant'] as const;

/** With `HEDDLE_CONTRACTS=short` in the environment, a few cells of each: `npm test` has two minutes. */
const short = process.env['HEDDLE_CONTRACTS'] === 'short';

/** One suite for each pattern. */
export const transactions: readonly Contract[] = backends.map((backend) => ({
  backend,
  run: (only = () => true) =>
    withServers(backend === 'twophase' || backend === 'tcc', async (servers, version) => [
      ...(await matrix(servers, backend, version, only)),
      ...(backend === 'tcc' && servers.mariadb !== undefined
        ? await mariadbBarrier(servers.mariadb.port, backend, only)
        : []),
    ]),
}));

async function matrix(
  servers: Servers,
  backend: string,
  version: string,
  only: (name: string) => boolean,
): Promise<ContractResult[]> {
  const results: ContractResult[] = [];
  const cell = async (name: string, fault: Fault): Promise<void> => {
    if (!only(name)) return;
    results.push(
      await resultOf(backend, version, name, async () => void (await play(servers, backend, fault))),
    );
  };
  let writes = { coordinator: 0, participant: 0 };
  results.push(
    await resultOf(backend, version, 'no fault', async () => {
      ({ writes } = await play(servers, backend, {}));
    }),
  );
  for (const [name, fault] of faultsFor(backend, writes, servers.mariadb !== undefined))
    await cell(name, fault);
  return results;
}

function faultsFor(
  backend: string,
  writes: Readonly<Record<(typeof roles)[number], number>>,
  maria: boolean,
): readonly (readonly [string, Fault])[] {
  const kills = roles.flatMap((role) =>
    Array.from({ length: writes[role] }, (_, at) => at + 1).flatMap((at) =>
      (['before', 'after'] as const).map(
        (when) => [`${role} killed ${when} its durable write ${at}`, { role, kill: { at, when } }] as const,
      ),
    ),
  );
  const weather: readonly (readonly [string, Fault])[] = [
    ['every message twice', { weather: { twice: true } }],
    ['first messages late, beyond the timeout', { weather: { firstDelayMs: 2000 } }],
    ['network cut before messages arrive', { weather: { cutRequests: 3 } }],
    ['network cut before answers arrive', { weather: { firstAnswerLost: true } }],
  ];
  const restarts: readonly (readonly [string, Fault])[] = [
    ...Array.from({ length: writes.coordinator }, (_, at) => at + 1).map(
      (at) => [`PostgreSQL killed at write ${at}`, { restart: { what: 'postgres', at } }] as const,
    ),
    ...(maria && backend === 'twophase'
      ? [['MariaDB killed at its prepare', { restart: { what: 'mariadb', at: 2 } }] as const]
      : []),
  ];
  if (!short) return [...kills, ...weather, ...restarts];
  const some = kills.filter((_, at) => at % Math.max(1, Math.ceil(kills.length / 2)) === 1);
  return some.map(([name, fault]) => [`${name}, messages twice`, { ...fault, weather: { twice: true } }]);
}

async function withServers(
  withMaria: boolean,
  run: (servers: Servers, version: string) => Promise<ContractResult[]>,
): Promise<ContractResult[]> {
  const runtime = { ...nodeRuntime({ name: 'matrix' }), log: () => {} };
  const folder = await mkdtemp(path.join(tmpdir(), 'heddle-matrix-'));
  const postgres = embeddedPostgres({ runtime, folder });
  await postgres.start();
  const maria = withMaria ? await startMaria() : undefined;
  try {
    const results = await run(
      { postgres, mariadb: maria?.server, compileCache: path.join(folder, 'compiled') },
      'PostgreSQL 18',
    );
    return [...results, ...(maria?.skipped ?? [])];
  } finally {
    await maria?.stop();
    await postgres.stop?.();
    await rm(await realpath(path.join(folder, 'server')), { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

interface Maria {
  readonly server: Servers['mariadb'];
  readonly skipped: readonly ContractResult[];
  stop(): Promise<void>;
}

async function startMaria(): Promise<Maria> {
  const found = await obtain(mariadb);
  if (isMissing(found)) {
    const detail = found.missing;
    const skipped = {
      backend: 'MariaDB',
      version: '',
      case: 'all',
      status: 'skipped',
      detail,
    } as const;
    return { server: undefined, skipped: [skipped], stop: () => Promise.resolve() };
  }
  const folder = dataFolder('mariadb');
  const start = (port?: number): Promise<Running> =>
    mariadb.start({ databases: ['matrix'], folder, ...(port !== undefined && { port }) });
  let running = await start();
  const { port } = running.address;
  return {
    skipped: [],
    server: {
      port,
      restart: async () => {
        process.kill(running.pid, 'SIGKILL');
        await running.stop();
        running = await start(port);
      },
    },
    stop: async () => {
      await running.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
