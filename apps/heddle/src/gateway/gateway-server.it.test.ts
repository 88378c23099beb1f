import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { nodeRuntime } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import { jsonAnswer } from '@heddle/proxy';
import { type HttpServer, serve } from '@heddle/wire';
import { StartedCli } from '../node/started-cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-gateway-'));
const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const token = 'a-token-of-the-tests';
/** Generous: on a busy machine the start of three processes alone takes half a minute. */
const limit = { timeout: 240_000 };
const suite = { timeout: 1_200_000 };
const hour = 3_600_000;
const started = new Set<StartedCli>();
// One that a failed test has left running would keep this process from ending.
after(() => {
  for (const { child } of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Up {
  readonly cli: StartedCli;
  readonly url: string;
  readonly admin: string;
  readonly file: string;
}

let files = 0;
async function up(document: object, ...args: string[]): Promise<Up> {
  files += 1;
  const file = path.join(folder, `${files}.json`);
  writeFileSync(file, JSON.stringify(document));
  const env = { HEDDLE_ADMIN_TOKEN: token };
  const cli = new StartedCli(['gateway', '--config', file, '--port', '0', ...args], env);
  started.add(cli);
  const [, url = '', admin = ''] = await cli.printed(/"ready".*"url":"([^"]+)".*"admin":"([^"]+)"/);
  return { cli, url, admin, file };
}

async function down({ cli }: Up): Promise<void> {
  cli.child.kill('SIGTERM');
  assert.equal(await cli.exited, 0, cli.output);
}

interface Process {
  readonly pid: number;
  readonly inFlight: number;
}

async function processes({ admin }: Up): Promise<Process[]> {
  const answer = await fetch(`${admin}/health`, { headers: { authorization: `Bearer ${token}` } });
  return ((await answer.json()) as { processes: Process[] }).processes;
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const giveUpAt = performance.now() + 60_000;
  while (!(await holds())) {
    assert.ok(performance.now() < giveUpAt, `${what}: not within a minute`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The status of a request on a connection of its own: workers get them in turn. */
function statusOf(url: string): Promise<number | string> {
  return new Promise((resolve) => {
    get(url, { agent: new Agent({ keepAlive: false }) }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', (error) => resolve(error.message));
    }).on('error', (error) => resolve(error.message));
  });
}

describe('workers', suite, () => {
  /** Answers when told to. */
  let upstream: HttpServer | undefined;
  let waiting: (() => void)[] = [];
  before(async () => {
    upstream = await serve(
      async (req) => {
        if (req.path.startsWith('/slow')) await new Promise<void>((resolve) => waiting.push(resolve));
        return jsonAnswer(200, {});
      },
      { runtime, address: { host: '127.0.0.1', port: 0 } },
    );
  });
  after(() => upstream?.stop());
  const release = (): void => {
    for (const answer of waiting) answer();
    waiting = [];
  };
  const document = (more: object = {}): object => {
    const to = `static:///127.0.0.1:${upstream?.address.port}`;
    const fixed = { algorithm: 'fixed_window', limit: 20, windowMs: hour };
    const places = { algorithm: 'concurrency', limit: 4 };
    return {
      routes: [
        { path: '/hello', respond: { status: 200, body: 'hello' }, ...more },
        { path: '/fixed', respond: { status: 200 }, rateLimit: [{ name: 'a', key: ['route'], rule: fixed }] },
        {
          path: '/slow',
          upstream: to,
          timeoutMs: 120_000,
          attempts: 1,
          rateLimit: [{ name: 'b', key: ['route'], rule: places }],
        },
        { path: '/', upstream: to },
      ],
    };
  };

  test(
    'one that dies is replaced, the others go on, and what it held of a limit comes back',
    limit,
    async () => {
      const run = await up(document(), '--workers', '2');
      const [first, second] = await processes(run);
      assert.ok(first !== undefined && second !== undefined);
      const held = Array.from({ length: 4 }, () => statusOf(`${run.url}/slow`));
      await until('all places are taken', () => waiting.length === 4);
      assert.equal(await statusOf(`${run.url}/slow`), 429);
      const victim = (await processes(run)).find(({ inFlight }) => inFlight > 0);
      process.kill(victim?.pid ?? 0, 'SIGKILL');
      await until('it is gone', async () => (await processes(run)).every(({ pid }) => pid !== victim?.pid));
      // The other one serves meanwhile.
      assert.equal(await statusOf(`${run.url}/hello`), 200);
      const again = statusOf(`${run.url}/slow`);
      await until('a place has come back', () => waiting.length === 5);
      await until('it is replaced', async () => (await processes(run)).length === 2);
      release();
      assert.equal(await again, 200);
      const outcomes = await Promise.all(held);
      assert.ok(outcomes.includes(200), 'the calls of the other worker were finished');
      assert.ok(
        outcomes.some((each) => each !== 200),
        'those of the dead one were not',
      );
      const metrics = await (await fetch(`${run.admin}/metrics`)).text();
      assert.match(metrics, /^gateway_worker_restarts_total\{worker="supervisor"\} 1$/m);
      await down(run);
    },
  );

  test('a limit is one for all', limit, async () => {
    const run = await up(document(), '--workers', '3');
    const statuses = await Promise.all(Array.from({ length: 60 }, () => statusOf(`${run.url}/fixed`)));
    assert.equal(statuses.filter((status) => status === 200).length, 20);
    assert.equal(statuses.filter((status) => status === 429).length, 40);
    const metrics = await (await fetch(`${run.admin}/metrics`)).text();
    const counted = [
      ...metrics.matchAll(/^gateway_rate_limit_decisions_total\{worker="(\d+)",.*admitted"\} (\d+)$/gm),
    ];
    const deciding = metrics.matchAll(/^gateway_rate_limit_decisions_total\{worker="(\d+)"/gm);
    assert.ok(new Set([...deciding].map(([, worker]) => worker)).size >= 2, 'more than one has served');
    assert.equal(
      counted.reduce((sum, [, , count]) => sum + Number(count), 0),
      20,
    );
    await down(run);
  });

  test(
    'all serve the same, also one that comes later; what none can serve changes nothing',
    limit,
    async () => {
      const run = await up(document(), '--workers', '2');
      const post = (at: string, body?: string): Promise<Response> =>
        fetch(`${run.admin}${at}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
          ...(body !== undefined && { body }),
        });
      const changed = JSON.stringify(document({ respond: { status: 203 } }));
      assert.equal((await post('/config', changed)).status, 200);
      const statuses = async (): Promise<unknown[]> =>
        Promise.all(Array.from({ length: 8 }, () => statusOf(`${run.url}/hello`)));
      assert.deepEqual(new Set(await statuses()), new Set([203]));
      const bad = JSON.stringify({ ...document(), upstreems: {} });
      const refused = await post('/config', bad);
      assert.notEqual(refused.status, 200);
      const [victim] = await processes(run);
      process.kill(victim?.pid ?? 0, 'SIGKILL');
      await until('it is replaced', async () => {
        const now = await processes(run);
        return now.length === 2 && now.every(({ pid }) => pid !== victim?.pid);
      });
      assert.deepEqual(new Set(await statuses()), new Set([203]));
      await down(run);
    },
  );

  test('on SIGTERM what is in flight is finished', limit, async () => {
    const run = await up(document(), '--workers', '2');
    const held = Array.from({ length: 3 }, () => statusOf(`${run.url}/slow`));
    await until('they are on their way', () => waiting.length === 3);
    run.cli.child.kill('SIGTERM');
    await run.cli.printed(/"message":"stopping"/);
    await until('balancers are told', async () => (await statusOf(`${run.url}/readyz`)) !== 200);
    release();
    assert.deepEqual(await Promise.all(held), [200, 200, 200]);
    assert.equal(await run.cli.exited, 0);
  });

  test('a port that is taken is said by its name', limit, async () => {
    const port = String(upstream?.address.port);
    const cli = new StartedCli([
      'gateway',
      '--config',
      path.join(folder, '1.json'),
      '--port',
      port,
      '--workers',
      '2',
    ]);
    assert.equal(await cli.exited, 1);
    assert.match(cli.output, /listening on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
  });
});

describe('the admin API', suite, () => {
  test('is for those who have the token, which has no default', limit, async () => {
    const run = await up({ routes: [{ path: '/', respond: { status: 200 } }] }, '--workers', '1');
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: token }] as Record<
      string,
      string
    >[])
      for (const at of ['/config', '/versions', '/explain', '/nowhere'])
        assert.equal((await fetch(`${run.admin}${at}`, { headers })).status, 401);
    const headers = { authorization: `Bearer ${token}` };
    for (const at of [
      '/config',
      '/versions',
      '/versions/1',
      '/diff',
      '/routes',
      '/upstreams',
      '/health',
      '/explain/layers',
    ])
      assert.equal((await fetch(`${run.admin}${at}`, { headers })).status, 200, at);
    assert.equal((await fetch(`${run.admin}/versions/7`, { headers })).status, 404);
    assert.equal((await fetch(`${run.admin}/reload`, { headers })).status, 405);
    assert.equal((await fetch(`${run.admin}/diff?to=x`, { headers })).status, 400);
    await down(run);
    const bare = new StartedCli(['gateway', '--config', run.file, '--port', '0', '--admin-port', '0'], {
      HEDDLE_ADMIN_TOKEN: '',
    });
    assert.equal(await bare.exited, 1);
    assert.match(bare.output, /HEDDLE_ADMIN_TOKEN is not set/);
  });
});

describe('TLS', suite, () => {
  const authority = new TestAuthority('authority', runtime.clock.wallMs());
  const put = (name: string, dnsName: string): void => {
    const { certificates, privateKey } = authority.issue({ dnsNames: [dnsName] });
    for (const [kind, text] of [
      ['pem', certificates],
      ['key', privateKey],
    ] as const) {
      // As a tool does that renews them: a new file takes the name of the old one.
      writeFileSync(path.join(folder, 'new'), text);
      renameSync(path.join(folder, 'new'), path.join(folder, `${name}.${kind}`));
    }
  };
  const greeting = (port: number, servername: string): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port,
        servername,
        ca: authority.certificate,
        ALPNProtocols: ['h2'],
      };
      const socket = connect(options, () => resolve(socket));
      socket.on('error', reject);
    });
  const serialOf = async (port: number, name: string): Promise<string> => {
    const socket = await greeting(port, name);
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };

  test('certificates by name, HTTP/2, and renewed ones without a dropped connection', limit, async () => {
    put('a', 'a.test');
    put('b', 'b.test');
    const certificates = ['a', 'b'].map((name) => ({ cert: `${name}.pem`, key: `${name}.key` }));
    const document = { tls: { certificates }, routes: [{ path: '/', respond: { status: 200, body: 'hi' } }] };
    const run = await up(document, '--workers', '2');
    const port = Number(new URL(run.url).port);
    assert.equal(new URL(run.url).protocol, 'https:');
    const before = [await serialOf(port, 'a.test'), await serialOf(port, 'b.test')];
    assert.notEqual(before[0], before[1]);
    const session = connectHttp2(`https://b.test:${port}`, {
      createConnection: () =>
        connect({
          host: '127.0.0.1',
          port,
          servername: 'b.test',
          ca: authority.certificate,
          ALPNProtocols: ['h2'],
        }),
    });
    const ask = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': '/' });
        stream.on('response', (headers) => resolve(Number(headers[':status'])));
        stream.on('error', reject);
        stream.resume();
      });
    assert.equal(await ask(), 200);
    put('b', 'b.test');
    await until('the new one is shown by all', async () => {
      const shown = await Promise.all([0, 1, 2, 3].map(() => serialOf(port, 'b.test')));
      return shown.every((serial) => serial !== before[1]);
    });
    assert.equal(await ask(), 200);
    assert.equal(await serialOf(port, 'a.test'), before[0]);
    // One whose key is not its own is not taken.
    writeFileSync(path.join(folder, 'b.key'), authority.issue({ dnsNames: ['b.test'] }).privateKey);
    await run.cli.printed(/certificates cannot be used, and those before go on/);
    assert.equal(await ask(), 200);
    assert.notEqual(await serialOf(port, 'b.test'), before[1]);
    session.close();
    await down(run);
  });
});
