import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { StartedCli } from '../node/started-cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-gateway-commands-'));
after(() => rmSync(folder, { recursive: true, force: true }));
/** Generous: a command may take seconds to begin on a busy machine. */
const limit = { timeout: 240_000 };

function file(name: string, content: string): string {
  const place = path.join(folder, name);
  mkdirSync(path.dirname(place), { recursive: true });
  writeFileSync(place, content);
  return place;
}

async function run(...args: string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const cli = new StartedCli(args);
  const code = await cli.exited;
  return { code, output: cli.output };
}

const good = file(
  'good.yaml',
  `routes:
  - { name: one order, path: { template: "/orders/{id}" }, method: GET, upstream: "discovery:///order" }
  - { name: orders, path: /orders, upstream: "discovery:///order" }
  - { name: beta, path: /orders, headers: { x-beta: "1" }, upstream: "discovery:///next" }
  - { name: shop, path: /, host: shop.example, respond: { status: 200 } }
`,
);

describe('heddle route explain', { timeout: 1_200_000 }, () => {
  const explain = (...args: string[]): ReturnType<typeof run> =>
    run('route', 'explain', ...args, '--config', good);

  test('says which route serves, and why the others do not', limit, async () => {
    const { code, output } = await explain('GET', '/orders/7');
    assert.equal(code, 0);
    assert.match(output, /✔ +one order +template \/orders\/\{id\}/);
    assert.match(output, /– +orders +one order is more specific/);
    assert.match(output, /beta +.*x-beta/);
    assert.match(output, /shop +the host is localhost, not shop\.example/);
  });

  test('heeds method, header and host', limit, async () => {
    assert.match((await explain('POST', '/orders/7')).output, /✔ +orders/);
    assert.match(
      (await explain('POST', '/orders/7', '--headers', 'x-beta: 1; accept: */*')).output,
      /✔ +beta/,
    );
    assert.match((await explain('GET', '/', '--host', 'SHOP.example')).output, /✔ +shop/);
  });

  test('asks in the one spelling, and says when nothing matches or nobody is asked', limit, async () => {
    const spelt = await explain('GET', '//orders/./x/../7');
    assert.match(spelt.output, /asked as \/orders\/7[^]*✔ +one order/);
    const nothing = await explain('GET', '/elsewhere');
    assert.deepEqual([nothing.code, /✔/.test(nothing.output)], [1, false]);
    const refused = await explain('GET', '/orders/%2e%2e%2fadmin');
    assert.equal(refused.code, 1);
    assert.match(refused.output, /is refused with 400 before any route is asked/);
  });

  test('a mistake in the command line is one', limit, async () => {
    for (const args of [
      ['explain', 'GET'],
      ['show', 'GET', '/'],
      ['explain', 'GET', '/', 'more'],
    ])
      assert.equal((await run('route', ...args)).code, 2, args.join(' '));
    assert.equal((await explain('GET', '/', '--headers', 'no colon')).code, 2);
  });
});

describe('heddle gateway check', { timeout: 1_200_000 }, () => {
  test('counts the routes of a good file, and of a folder', limit, async () => {
    const one = await run('gateway', 'check', '--config', good);
    assert.deepEqual([one.code, one.output], [0, `${good}: 4 routes, no problems\n`]);
    file('conf.d/a.yaml', 'limits: { maxRequests: 5 }\nroutes: [{ path: /a, respond: { status: 200 } }]');
    file('conf.d/b.json', '{"routes":[{"path":"/b","respond":{"status":200}}]}');
    file('conf.d/notes.txt', 'not read');
    const both = await run('gateway', 'check', '--config', path.join(folder, 'conf.d'));
    assert.deepEqual([both.code, / 2 routes, no problems/.test(both.output)], [0, true]);
  });

  test('prints every problem with its place', limit, async () => {
    const bad = file(
      'bad.yaml',
      `limts: {}
routes:
  - { path: relative, upstream: "discovery:///order" }
  - { path: /a, upstream: nowhere, timeoutMs: -1 }
tls: { certificates: [] }
trustedProxies: [10.0.0.0/33]
`,
    );
    const { code, output } = await run('gateway', 'check', '--config', bad);
    assert.equal(code, 1);
    for (const found of [
      /bad\.yaml:1:1: .*unknown key "limts": did you mean "limits"\?/,
      /bad\.yaml:3:13: routes\[0\]\.path: /,
      /bad\.yaml:4:27: routes\[1\]\.upstream: /,
      /bad\.yaml:4:47: routes\[1\]\.timeoutMs: expected a whole number/,
      /bad\.yaml:5:6: tls: expected at least one certificate/,
      /bad\.yaml:6:18: trustedProxies\[0\]: expected an IP address, or a range/,
      /bad\.yaml: 6 problems\n$/,
    ])
      assert.match(output, found);
  });

  test('of several files it names the one', limit, async () => {
    file('two/a.yaml', 'auth: {}\nroutes: [{ path: /x, respond: { status: 200 } }]');
    file('two/b.yaml', 'auth: {}\nroutes:\n  - { path: /x, respond: { status: 200 } }');
    const { code, output } = await run('gateway', 'check', '--config', path.join(folder, 'two'));
    assert.equal(code, 1);
    assert.match(output, /b\.yaml:1:1: "auth" is in .*a\.yaml already/);
    assert.match(output, /b\.yaml:3:5: routes\[0\]: is for the same requests as routes\[0\] of .*a\.yaml/);
  });
});
