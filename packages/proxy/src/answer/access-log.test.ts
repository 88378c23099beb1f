import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { World } from '../testdata/world.ts';

const sha256 = createHash('sha256').update('key-of-ann').digest('hex');
const auth = { apiKeys: { keys: [{ id: 'ann', sha256 }] } };
const upstream = 'h:1';

function world(accessLog: object): World {
  const routes = [
    { path: '/', upstream },
    { path: '/known', name: 'known', upstream, auth: { any: ['apiKey'] } },
    { path: '/down', respond: { status: 503 } },
  ];
  return new World({ accessLog, auth, routes });
}

describe('the access log', () => {
  test('has a line of JSON for each request, without its secrets', async () => {
    const site = world({ format: 'json' });
    const secret = {
      'x-api-key': 'key-of-ann',
      authorization: 'Bearer abc',
      cookie: 'session=abc',
      'user-agent': 'loom "1"',
    };
    await site.send('/known/a?token=abc', secret);
    const [line = ''] = site.accessLog;
    const { path, route, status, user, method, agent, host } = JSON.parse(line) as Record<string, unknown>;
    assert.deepEqual(
      [path, route, status, user, method, agent, host],
      ['/known/a', 'known', 200, 'ann', 'GET', 'loom "1"', 'a'],
    );
    assert.doesNotMatch(line, /abc|key-of-ann/);
  });

  test('has the common form, which nobody can break out of', async () => {
    const site = world({ format: 'common' });
    await site.send('/a');
    await site.send('/x', {}, { method: 'GET" 200 1\n' });
    assert.match(
      site.accessLog[0] ?? '',
      /^- - - \[\d\d\/Jan\/2026:\d\d:\d\d:\d\d \+0000\] "GET \/a HTTP\/1\.1" 200 0$/,
    );
    assert.match(site.accessLog[1] ?? '', /"GET\\x22\\x20200\\x201\\x0a \/x HTTP/);
    assert.equal(site.accessLog.length, 2);
  });

  test('writes a sample, and every failure', async () => {
    const site = world({ format: 'json', sample: 0.1 });
    for (let n = 0; n < 300; n++) await site.send('/');
    const sampled = site.accessLog.length;
    assert.ok(sampled > 10 && sampled < 60, `${sampled} of 300`);
    for (let n = 0; n < 20; n++) await site.send('/down');
    assert.equal(site.accessLog.length, sampled + 20);
  });
});
