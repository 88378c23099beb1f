import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { StartedCli } from '../node/started-cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-guard-'));
const token = 'a-token-for-this-test-alone';
const limit = { timeout: 120_000 };

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly cookies: readonly string[];
  readonly fields: Headers;
}

interface Session {
  readonly cookie: string;
  readonly csrf: string;
}

let plane: StartedCli;
let url = '';
let password = '';

async function start(): Promise<void> {
  plane = new StartedCli(['control-plane', '--port', '0', '--data', folder], {
    HEDDLE_REGISTRY_TOKEN: token,
  });
  [, url = ''] = await plane.printed(/"message":"ready"[^}]*"url":"([^"]+)"/);
}

async function ask(
  method: string,
  place: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<Answer> {
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  const answer = await fetch(url + place, {
    method,
    headers: { ...type, ...headers },
    redirect: 'manual',
    ...content,
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type') === 'application/json';
  return {
    status: answer.status,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : { text },
    cookies: answer.headers.getSetCookie(),
    fields: answer.headers,
  };
}

async function signIn(
  name: string,
  secret: string,
  cookie?: string,
): Promise<Session & { readonly answer: Answer }> {
  const answer = await ask('POST', '/api/console/session', cookie === undefined ? {} : { cookie }, {
    name,
    password: secret,
  });
  const [first = ''] = answer.cookies;
  return { cookie: first.split(';', 1)[0] ?? '', csrf: String(answer.body['csrf']), answer };
}

function as({ cookie, csrf }: Session): Record<string, string> {
  return { cookie, 'x-heddle-csrf': csrf };
}

/** Every changing route, out of the sources, so that a new one is tried too; what stands for something is `x`. */
function changingRoutes(): { method: string; path: string; role: string }[] {
  const files = readdirSync(import.meta.dirname).filter((name) => /^api-.*(?<!test)\.ts$/.test(name));
  return files.flatMap((name) => {
    const text = readFileSync(path.join(import.meta.dirname, name), 'utf8');
    const named = Object.fromEntries(
      [...text.matchAll(/const (\w+) = '(\/[^']+)'/g)].map(([, key = '', value = '']) => [key, value]),
    );
    const routes = [
      ...text.matchAll(
        /method: '(POST|PUT|DELETE)',\s+path(?:: (?:'([^']+)'|`\$\{(\w+)\}([^`]*)`))?,\s+role: '(\w+)'/g,
      ),
    ];
    return routes.map(([, method = '', plain, key, rest = '', role = '']) => {
      const place = plain ?? `${named[key ?? 'path'] ?? ''}${rest}`;
      return { method, path: place.replaceAll(/:\w+/g, 'x'), role };
    });
  });
}

describe('who may what at the console', { timeout: 240_000 }, () => {
  before(async () => {
    await start();
    [, password = ''] = await plane.printed(
      /sign in to the console as admin with ([\w-]{20}) \(shown this once\)/,
    );
  }, limit);
  after(async () => {
    plane.child.kill('SIGTERM');
    await plane.exited;
    rmSync(folder, { recursive: true, force: true });
  });

  test('strangers get the files and nothing else; other host names get nothing', limit, async () => {
    const page = await ask('GET', '/');
    assert.equal(page.status, 200);
    const policy = page.fields.get('content-security-policy') ?? '';
    assert.match(policy, /script-src 'self';/);
    assert.ok(!/script-src[^;]*unsafe/.test(policy));
    for (const place of [
      '/api/overview',
      '/api/events',
      '/api/traces',
      '/api/v1/query?query=up',
      '/api/logs',
      '/api/console/users',
      '/api/console/nowhere',
    ])
      assert.equal((await ask('GET', place)).status, 401, place);
    assert.equal((await ask('GET', '/api/overview', { authorization: `Bearer ${token}` })).status, 200);
    assert.equal(
      (await ask('GET', '/api/overview', { authorization: 'Bearer guessed-token-0000' })).status,
      401,
    );
    assert.equal((await ask('GET', '/../package.json')).status, 404);
    const { hostname, port } = new URL(url);
    const elsewhere = await new Promise<number | undefined>((resolve, reject) => {
      const asked = request({ hostname, port, path: '/', headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.on('error', reject).end();
    });
    assert.equal(elsewhere, 421);
  });

  test('the first password is shown once, lies nowhere, and holds after a restart', limit, async () => {
    assert.equal((await signIn('admin', password)).answer.status, 200);
    const users = readFileSync(path.join(folder, 'console', 'users.json'), 'utf8');
    assert.match(users, /\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.ok(!users.includes(password));
    assert.ok(
      !plane.output.split('\n').some((line) => line.startsWith('{') && line.includes(password)),
      'not in the log',
    );
    plane.child.kill('SIGTERM');
    assert.equal(await plane.exited, 0);
    await start();
    assert.ok(!plane.output.includes('sign in to the console'));
    assert.equal((await signIn('admin', password)).answer.status, 200);
  });

  test(
    'a session that was planted is not taken over, and signing in ends the one before',
    limit,
    async () => {
      const name = `heddle-console-${new URL(url).port}`;
      const planted = `${name}=planted-by-somebody-else`;
      const first = await signIn('admin', password, planted);
      assert.notEqual(first.cookie, planted);
      assert.match(first.answer.cookies[0] ?? '', /; Path=\/; HttpOnly; SameSite=Lax$/);
      assert.equal((await ask('GET', '/api/overview', { cookie: planted })).status, 401);
      const second = await signIn('admin', password, first.cookie);
      assert.notEqual(second.cookie, first.cookie);
      assert.equal((await ask('GET', '/api/overview', { cookie: first.cookie })).status, 401);
      assert.equal((await ask('GET', '/api/overview', { cookie: second.cookie })).status, 200);
      assert.equal((await ask('DELETE', '/api/console/session', as(second))).status, 200);
      assert.equal((await ask('GET', '/api/overview', { cookie: second.cookie })).status, 401);
    },
  );

  test('a page of another site changes nothing', limit, async () => {
    const session = await signIn('admin', password);
    const mallory = { name: 'mallory', role: 'admin', password: 'a long enough one' };
    const tries: Record<string, string>[] = [
      { cookie: session.cookie },
      { ...as(session), 'x-heddle-csrf': 'guessed' },
      { ...as(session), origin: 'https://evil.example' },
      { ...as(session), 'sec-fetch-site': 'cross-site' },
      { ...as(session), 'content-type': 'text/plain' },
    ];
    for (const headers of tries) {
      const { status } = await ask('POST', '/api/console/users', headers, mallory);
      assert.ok(status === 403 || status === 400, `${JSON.stringify(Object.keys(headers))}: ${status}`);
    }
    const { body } = await ask('GET', '/api/console/users', as(session));
    assert.deepEqual(
      (body['users'] as { name: string }[]).map(({ name }) => name),
      ['admin'],
    );
    const foreign = await ask(
      'POST',
      '/api/console/session',
      { origin: 'https://evil.example' },
      { name: 'admin', password },
    );
    assert.equal(foreign.status, 403);
  });

  test(
    'a role that was not given is not to be had, at any route, and each attempt is in the audit log',
    limit,
    async () => {
      const admin = await signIn('admin', password);
      for (const role of ['viewer', 'operator']) {
        const made = await ask('POST', '/api/console/users', as(admin), {
          name: role,
          role,
          password: 'a long enough one',
        });
        assert.equal(made.status, 200, JSON.stringify(made.body));
      }
      const routes = changingRoutes();
      assert.ok(routes.length >= 15, `${routes.length} routes were found`);
      const order = ['viewer', 'operator', 'admin'];
      for (const name of ['viewer', 'operator']) {
        const session = await signIn(name, 'a long enough one');
        const above = routes.filter(({ role }) => order.indexOf(role) > order.indexOf(name));
        for (const { method, path: place } of above) {
          const { status, body } = await ask(method, `/api/console${place}`, as(session), {});
          assert.deepEqual([status, body['reason']], [403, 'ROLE_NEEDED'], `${name}: ${method} ${place}`);
        }
        const promoted = await ask('PUT', `/api/console/users/${name}/role`, as(session), { role: 'admin' });
        assert.equal(promoted.status, 403);
      }
      const { body } = await ask('GET', '/api/console/audit?text=ROLE_NEEDED', as(admin));
      assert.ok((body['entries'] as unknown[]).length >= 15);
      const text = readFileSync(path.join(folder, 'console', 'audit.ndjson'), 'utf8');
      assert.ok(!text.includes('a long enough one'), 'no password in the audit log');
    },
  );

  test(
    'what is wrong with an input is said all at once; a removed user is out at once; the last admin stays',
    limit,
    async () => {
      const admin = await signIn('admin', password);
      const wrong = await ask('POST', '/api/console/users', as(admin), { name: 7, role: 'king', extra: 1 });
      assert.equal(wrong.status, 400);
      assert.match(String(wrong.body['message']), /unknown "extra".*name: .*role: .*password: /s);
      const viewer = await signIn('viewer', 'a long enough one');
      assert.equal((await ask('DELETE', '/api/console/users/viewer', as(admin))).status, 200);
      assert.equal((await ask('GET', '/api/overview', { cookie: viewer.cookie })).status, 401);
      const last = await ask('DELETE', '/api/console/users/admin', as(admin));
      assert.equal(last.body['reason'], 'LAST_ADMIN');
    },
  );

  test('guessing is slowed down', limit, async () => {
    const tries: number[] = [];
    for (let count = 0; count < 11; count++)
      tries.push((await signIn('operator', `wrong ${count}`)).answer.status);
    assert.deepEqual(tries, [...Array.from({ length: 10 }, () => 401), 429]);
    assert.equal((await signIn('admin', password)).answer.status, 200, 'others are not kept out');
  });
});
