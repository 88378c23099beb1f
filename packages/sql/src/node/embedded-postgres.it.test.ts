import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { until } from '@heddle/kernel/testing';
import { type EmbeddedPostgres, embeddedPostgres } from './embedded-postgres.ts';
import { sqlPool } from './pool.ts';
import { isAlive } from './postmaster-file.ts';
import { canReach } from './reach.ts';
import { removeEmbeddedPostgres } from './server-folder.ts';

const runtime: Runtime = { ...nodeRuntime({ name: 'test' }), log: () => {} };
const isRoot = process.geteuid?.() === 0;
const folders: string[] = [];
const children: ChildProcess[] = [];

after(async () => {
  // A test that failed has left its process behind.
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) {
    const place = await realpath(join(folder, 'server')).catch(() => folder);
    await rm(place, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
});

/** Open to all, so that root's server lives in it; `closed` ones are as `mktemp -d` makes them. */
async function newFolder(mode = 0o755): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-pg-'));
  await chmod(folder, mode);
  folders.push(folder);
  return folder;
}

async function running<T>(folder: string, work: (server: EmbeddedPostgres) => Promise<T>): Promise<T> {
  const server = embeddedPostgres({ runtime, folder });
  await server.start();
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

async function ask<Row extends object>(url: string, text: string): Promise<readonly Row[]> {
  const pool = sqlPool(url, { runtime });
  try {
    return await pool.query<Row>(text);
  } finally {
    await pool.stop();
  }
}

const reasonOf = (reason: string) => (thrown: unknown) =>
  thrown instanceof HeddleError && thrown.reason === reason;

const noProc = process.platform !== 'linux' && 'processes are looked up in /proc';

/** The shells that watch over a process's servers. */
async function guardsOf(pid: number | undefined): Promise<readonly number[]> {
  const listed = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const commands = listed.split(' ').filter(Boolean).map(Number);
  const guards = commands.map(async (child) =>
    (await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')).includes('postgres-guard')
      ? [child]
      : [],
  );
  return (await Promise.all(guards)).flat();
}

describe('embeddedPostgres', () => {
  test('serves, keeps what was committed over a restart, and stops', async () => {
    const folder = await newFolder();
    const first = await running(folder, async (server) => {
      const url = await server.createDatabase('shop');
      await ask(url, 'CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2)');
      return { url, pid: server.pid };
    });
    assert.ok(first.pid !== undefined && !isAlive(first.pid));
    await running(folder, async (server) => {
      const url = await server.createDatabase('shop');
      assert.deepEqual(await ask(url, 'SELECT count(*) AS n FROM t'), [{ n: 2 }]);
      // The derived password is the same again; only the port may differ.
      assert.equal(new URL(url).password, new URL(first.url).password);
    });
  });

  test('has the settings that two-phase commit and change capture need', async () => {
    await running(await newFolder(), async (server) => {
      const rows = await ask<{ name: string; setting: string }>(
        server.url(),
        "SELECT name, setting FROM pg_settings WHERE name IN ('max_prepared_transactions', 'wal_level', 'fsync', 'listen_addresses', 'unix_socket_directories') ORDER BY name",
      );
      assert.deepEqual(Object.fromEntries(rows.map((row) => [row.name, row.setting])), {
        fsync: 'on',
        listen_addresses: '127.0.0.1',
        max_prepared_transactions: '100',
        unix_socket_directories: '',
        wal_level: 'logical',
      });
    });
  });

  test('lets nobody in without the password, and no service into the database of another', async () => {
    const folder = await newFolder();
    await running(folder, async (server) => {
      const wrong = new URL(server.url());
      wrong.password = 'heddle';
      await assert.rejects(ask(wrong.href, 'SELECT 1'), reasonOf('DATABASE_LOGIN_REFUSED'));
      const own = new URL(await server.createDatabase('mine'));
      await server.createDatabase('yours');
      for (const name of ['postgres', 'heddle', 'pg_x', 'Mine', 'a"b', '', 'x'.repeat(64)]) {
        await assert.rejects(server.createDatabase(name), reasonOf('BAD_DATABASE_NAME'), name);
      }
      own.pathname = '/yours';
      await assert.rejects(
        ask(own.href, 'SELECT 1'),
        (thrown) => thrown instanceof HeddleError && /permission denied/.test(thrown.message),
      );
      const { mode } = await stat(join(folder, 'server', 'password'));
      assert.equal(mode & 0o777, 0o600);
      const secret = await readFile(join(folder, 'server', 'password'), 'utf8');
      assert.ok(secret.length >= 32);
    });
  });

  test('recovers by itself, on the same port, when its server is killed', async () => {
    await running(await newFolder(), async (server) => {
      const pool = sqlPool(server.url(), { runtime });
      const { pid } = server;
      assert.ok(pid !== undefined);
      await pool.execute('CREATE TABLE t (id int)');
      await pool.execute('INSERT INTO t SELECT generate_series(1, 1000)');
      await pool
        .transaction(async (sql) => {
          await sql.execute('INSERT INTO t VALUES (0)');
          await sql.execute("PREPARE TRANSACTION 'in-doubt'");
        })
        .catch(() => {});
      process.kill(pid, 'SIGKILL');
      await until(
        runtime,
        'the server is another process',
        20_000,
        () => server.pid !== undefined && server.pid !== pid,
      );
      assert.deepEqual(await pool.query('SELECT count(*) AS n FROM t'), [{ n: 1000 }]);
      assert.deepEqual(await pool.query('SELECT gid FROM pg_prepared_xacts'), [{ gid: 'in-doubt' }]);
      await pool.execute("COMMIT PREPARED 'in-doubt'");
      assert.deepEqual(await pool.query('SELECT count(*) AS n FROM t'), [{ n: 1001 }]);
      await pool.stop();
    });
  });

  test('of two starters at once on a new folder one serves and the other is told who', async () => {
    const folder = await newFolder();
    const servers = [embeddedPostgres({ runtime, folder }), embeddedPostgres({ runtime, folder })];
    const results = await Promise.allSettled(servers.map((server) => server.start()));
    const [refused, ...more] = results.filter((result) => result.status === 'rejected');
    assert.equal(more.length, 0);
    assert.ok(refused !== undefined && reasonOf('DATABASE_IN_USE')(refused.reason));
    const winner = servers[results.findIndex((result) => result.status === 'fulfilled')];
    assert.deepEqual(await ask(winner?.url() ?? '', 'SELECT 1 AS n'), [{ n: 1 }]);
    await winner?.stop();
  });

  test('refuses a folder that a living process serves, and takes over from a dead one', {
    skip: noProc,
  }, async () => {
    const folder = await newFolder();
    const other = await otherProcess(folder);
    await assert.rejects(embeddedPostgres({ runtime, folder }).start(), (thrown) => {
      assert.ok(reasonOf('DATABASE_IN_USE')(thrown));
      return new RegExp(`process ${other.child.pid} `).test(String(thrown));
    });
    await ask(other.url, 'CREATE TABLE left_behind (id int)');
    for (const guard of await guardsOf(other.child.pid)) process.kill(guard, 'SIGKILL');
    other.child.kill('SIGKILL');
    await until(runtime, 'the other process is gone', 20_000, () => other.child.signalCode !== null);
    assert.ok(isAlive(other.postgres), 'the orphan is there to be taken over from');
    await running(folder, async (server) => {
      assert.deepEqual(await ask(server.url(), 'SELECT * FROM left_behind'), []);
      assert.notEqual(server.pid, other.postgres);
    });
  });

  test('the server goes when its owner is killed, and keeps what was committed', {
    skip: noProc,
  }, async () => {
    const folder = await newFolder();
    const other = await otherProcess(folder);
    assert.equal((await guardsOf(other.child.pid)).length, 1);
    await ask(other.url, 'CREATE TABLE kept (id int)');
    other.child.kill('SIGKILL');
    await until(runtime, 'the server is gone', 20_000, () => !isAlive(other.postgres));
    await running(folder, async (server) => {
      assert.deepEqual(await ask(server.url(), 'SELECT * FROM kept'), []);
      assert.equal((await guardsOf(process.pid)).length, 1);
    });
    await until(runtime, 'no guard is left', 20_000, async () => (await guardsOf(process.pid)).length === 0);
  });

  test('a lock file whose number belongs to another program now is no obstacle', async () => {
    const folder = await newFolder();
    await running(folder, () => Promise.resolve());
    const file = join(folder, 'server', 'data', 'postmaster.pid');
    await writeFile(file, `${process.pid}\n${join(folder, 'server', 'data')}\n`);
    await running(folder, async (server) => {
      assert.deepEqual(await ask(server.url(), 'SELECT 1 AS n'), [{ n: 1 }]);
    });
  });

  test('a folder that cannot be used is a clear sentence', async () => {
    const folder = await newFolder();
    const file = join(folder, 'file');
    await writeFile(file, '');
    await assert.rejects(embeddedPostgres({ runtime, folder: join(file, 'data') }).start(), (thrown) => {
      assert.ok(reasonOf('DATA_FOLDER_DENIED')(thrown));
      return /change its owner or name another folder/.test(String(thrown));
    });
  });

  test('a port that is taken is said, and nothing is left behind', async () => {
    const folder = await newFolder();
    const taken = await runtime.net.listen({ host: '127.0.0.1', port: 0 }, (connection) =>
      connection.destroy(),
    );
    const server = embeddedPostgres({ runtime, folder, port: taken.address.port });
    await assert.rejects(server.start(), reasonOf('PORT_IN_USE'));
    assert.equal(server.pid, undefined);
    await taken.close();
    await running(folder, () => Promise.resolve());
  });

  test('a stop in the middle of a transaction rolls it back and does not wait for it', async () => {
    const folder = await newFolder();
    await running(folder, async (server) => {
      await ask(server.url(), 'CREATE TABLE t (id int)');
      const pool = sqlPool(server.url(), { runtime });
      const held = pool.transaction(async (sql) => {
        await sql.execute('INSERT INTO t VALUES (1)');
        const stopped = server.stop();
        await stopped;
        await sql.execute('INSERT INTO t VALUES (2)');
      });
      await assert.rejects(held, (thrown) => thrown instanceof HeddleError && thrown.code === 'unavailable');
      await pool.stop();
    });
    await running(folder, async (server) => {
      assert.deepEqual(await ask(server.url(), 'SELECT * FROM t'), []);
    });
  });

  test('root with a closed folder: the server runs as nobody in a system folder', {
    skip: !isRoot && 'needs root',
  }, async () => {
    const folder = await newFolder(0o700);
    await running(folder, async (server) => {
      const place = await realpath(join(folder, 'server'));
      assert.ok(place.startsWith('/var/lib/heddle/postgres-'), place);
      const { uid } = await stat(`/proc/${server.pid}`);
      assert.notEqual(uid, 0);
      assert.equal((await stat(place)).mode & 0o777, 0o700);
      await ask(server.url(), 'CREATE TABLE kept (id int)');
    });
    await running(folder, async (server) => {
      assert.deepEqual(await ask(server.url(), 'SELECT * FROM kept'), []);
    });
    const place = await realpath(join(folder, 'server'));
    await running(folder, async () => {
      await assert.rejects(removeEmbeddedPostgres(folder), reasonOf('DATABASE_IN_USE'));
    });
    await removeEmbeddedPostgres(folder);
    await assert.rejects(stat(place), { code: 'ENOENT' });
    await running(folder, () => Promise.resolve());
    await rm(await realpath(join(folder, 'server')), { recursive: true });
    await assert.rejects(embeddedPostgres({ runtime, folder }).start(), reasonOf('DATA_FOLDER_GONE'));
  });

  test('an ordinary user serves a folder of its own, and no other', {
    skip: !isRoot && 'needs root',
  }, async (context) => {
    const nobody = { uid: 65534, gid: 65534 };
    if (!(await canReach(nobody, fileURLToPath(new URL('.', import.meta.url)))))
      return context.skip('nobody cannot read the sources here');
    const open = await newFolder(0o777);
    const other = await otherProcess(join(open, 'own'), nobody);
    assert.equal((await stat(`/proc/${other.postgres}`)).uid, nobody.uid);
    assert.deepEqual(await ask(other.url, 'SELECT 1 AS n'), [{ n: 1 }]);
    other.child.kill('SIGTERM');
    await until(runtime, 'it has stopped', 20_000, () => !isAlive(other.postgres));
    const closed = join(await newFolder(), 'closed');
    await mkdir(closed, { mode: 0o700 });
    await assert.rejects(otherProcess(closed, nobody), /DATA_FOLDER_DENIED/);
  });
});

const program = `
  import { nodeRuntime } from '@heddle/kernel/node';
  import { embeddedPostgres } from ${JSON.stringify(new URL('./embedded-postgres.ts', import.meta.url).href)};
  const runtime = { ...nodeRuntime({ name: 'other' }), log: () => {} };
  const server = embeddedPostgres({ runtime, folder: process.argv[1] });
  process.on('SIGTERM', () => void server.stop().then(() => process.exit(0)));
  try {
    await server.start();
    console.log(JSON.stringify({ url: server.url(), postgres: server.pid }));
    setInterval(() => {}, 1000);
  } catch (error) {
    console.log(JSON.stringify({ error: error.reason + ': ' + error.message }));
    process.exitCode = 1;
  }`;

interface OtherProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly postgres: number;
}

/** The same part in a process of its own. */
async function otherProcess(
  folder: string,
  user: { uid?: number; gid?: number } = {},
): Promise<OtherProcess> {
  const flags = ['--conditions=@heddle/source', '--input-type=module-typescript', '-e', program, folder];
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const child = spawn(process.execPath, flags, { ...user, cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`the other process ended with ${code} before it said anything`)),
    );
  });
  const said = JSON.parse(line) as { url?: string; postgres?: number; error?: string };
  if (said.url === undefined || said.postgres === undefined) throw new Error(said.error);
  return { child, url: said.url, postgres: said.postgres };
}
