import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type AptProgram, findProgram, unpack } from './apt.ts';
import { cached, dataFolder } from './cache.ts';
import { lastWords, run } from './command.ts';
import { type Engine, type Found, isMissing, type Missing, required } from './engine.ts';
import { freePlace, startServer } from './running.ts';

/** How to start MariaDB. */
export interface MariadbOptions {
  /** Databases to make. */
  readonly databases: readonly string[];
  /** Data of an earlier start, to go on with; it is kept when the server stops. Default: new, and removed. */
  readonly folder?: string;
  readonly port?: number;
}

/** The only account, on loopback, of servers that live as long as a test. */
export const mariadbUser = 'heddle';

const packageName = 'mariadb-server-core';
const program: AptProgram = {
  package: packageName,
  program: 'mariadbd',
  versionArgs: ['--version'],
  version: /Ver ([\d.]+)/,
};

/** MariaDB with InnoDB that writes to disk at every commit, as it does by default. */
export const mariadb: Engine<MariadbOptions> = {
  name: 'mariadb',
  find,
  install: async () => {
    const unpacked = await unpack(packageName);
    return typeof unpacked === 'string' ? find() : unpacked;
  },
  verify: async () => {
    const running = await mariadb.start({ databases: ['verify'] });
    await running.stop();
  },
  start: async ({ databases, folder, port }) => {
    const { path: command } = await required(mariadb);
    const address = port === undefined ? await freePlace() : { host: '127.0.0.1', port };
    const place = folder ?? dataFolder('mariadb');
    const init = path.join(place, 'init.sql');
    mkdirSync(path.join(place, 'tmp'), { recursive: true });
    const base = path.join(cached(`apt-${packageName}`), 'usr');
    const settings = [
      '--no-defaults',
      `--basedir=${base}`,
      `--datadir=${path.join(place, 'data')}`,
      `--tmpdir=${path.join(place, 'tmp')}`,
      `--lc-messages-dir=${path.join(base, 'share/mysql')}`,
      ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    ];
    await prepare(command, settings, path.join(place, 'data'), base);
    writeFileSync(init, accountSql(databases));
    return startServer({
      name: 'mariadb',
      command,
      args: [
        ...settings,
        `--port=${address.port}`,
        `--bind-address=${address.host}`,
        `--socket=${path.join(place, 'socket')}`,
        `--init-file=${init}`,
        '--skip-name-resolve',
        '--innodb-buffer-pool-size=32M',
        '--max-connections=200',
      ],
      address,
      // Its first start writes a log of redo; on a busy machine that was seen to take more than half a minute.
      timeoutMs: 180_000,
      ...(folder === undefined && { folder: place }),
    });
  },
};

/** The unpacked one only: a server needs the files of its own version beside it. */
async function find(): Promise<Found | Missing> {
  const found = await findProgram(program);
  if (isMissing(found) || found.path.startsWith(cached(''))) return found;
  return { missing: 'mariadbd is not in the cache' };
}

/** Makes the system tables, as `mariadb-install-db` does. */
async function prepare(
  command: string,
  settings: readonly string[],
  data: string,
  base: string,
): Promise<void> {
  if (!mkdirSync(data, { recursive: true })) return;
  const files = ['mysql_system_tables.sql', 'mysql_system_tables_data.sql'].map((name) =>
    quoted(path.join(base, 'share/mysql', name)),
  );
  // A statement ends with its line here.
  const begin = 'CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;';
  const server = [command, ...settings, '--bootstrap', '--skip-grant-tables'].map(quoted).join(' ');
  const bootstrap = `(echo '${begin}'; cat ${files.join(' ')}) | ${server}`;
  const made = await run('sh', ['-c', bootstrap], { timeoutMs: 60_000 });
  if (made.code !== 0) throw new Error(`mariadb cannot make its system tables: ${lastWords(made.output)}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function accountSql(databases: readonly string[]): string {
  return [
    ...databases.map((name) => `CREATE DATABASE IF NOT EXISTS ${name};`),
    `CREATE USER IF NOT EXISTS '${mariadbUser}'@'127.0.0.1' IDENTIFIED BY '${mariadbUser}';`,
    `GRANT ALL PRIVILEGES ON *.* TO '${mariadbUser}'@'127.0.0.1';`,
    '',
  ].join('\n');
}
