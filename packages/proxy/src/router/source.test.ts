import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { emptyBody, Fields } from '@heddle/wire';
import { readGatewayConfig } from '../model/gateway-config.ts';
import { World } from '../testdata/world.ts';
import { explain } from './explain.ts';

const to = (port: number): object => ({ upstream: `127.0.0.1:${port}` });
const keyOf = (id: string): string => `key-of-${id}`;
const keys = ['ann', 'bob'].map((id) => ({
  id,
  sha256: createHash('sha256').update(keyOf(id)).digest('hex'),
}));
const auth = { any: ['apiKey'] };

describe('routes by who asks', () => {
  test('a zone is where the client is, by its address', async () => {
    const world = new World({
      zones: { east: ['10.1.0.0/16'], west: ['10.2.0.0/16', '10.3.0.0/16'] },
      routes: [
        { path: '/', ...to(1) },
        { path: '/', source: { zone: 'east' }, ...to(2) },
        { path: '/', source: { zone: ['west'] }, ...to(3) },
      ],
    });
    for (const from of ['10.1.9.9', '10.3.0.1', '10.4.0.1']) await world.send('/', {}, { from });
    assert.deepEqual(
      world.asked.map(({ at }) => at),
      ['2', '3', '1'],
    );
  });

  test('a subject is who has proved it; others go on to the next route', async () => {
    const world = new World({
      auth: { apiKeys: { keys } },
      routes: [
        { path: '/', ...to(1) },
        { path: '/', source: { subject: 'ann' }, auth, ...to(2) },
      ],
    });
    for (const key of [keyOf('ann'), keyOf('bob'), 'of nobody']) await world.send('/', { 'x-api-key': key });
    await world.send('/');
    assert.deepEqual(
      world.asked.map(({ at }) => at),
      ['2', '1', '1', '1'],
    );
    const only = new World({
      auth: { apiKeys: { keys } },
      routes: [{ path: '/', source: { subject: 'ann' }, auth, ...to(2) }],
    });
    assert.equal((await only.send('/', { 'x-api-key': keyOf('bob') })).status, 404);
  });

  test('mistakes are said, and explained is what happens', () => {
    const problems = [
      [{ source: { subject: 'ann' }, ...to(1) }, /"source.subject" needs "auth"/],
      [{ source: { zone: 'nowhere' }, ...to(1) }, /the zone "nowhere" is not in "zones"/],
    ] as const;
    for (const [route, expected] of problems)
      assert.throws(
        () => readGatewayConfig(JSON.stringify({ routes: [{ path: '/', ...route }] }), 'x'),
        (thrown) => expected.test(HeddleError.from(thrown).message),
      );
    const { routes } = readGatewayConfig(
      JSON.stringify({
        auth: { apiKeys: { keys } },
        zones: { east: ['10.1.0.0/16'] },
        routes: [
          { name: 'all', path: '/', ...to(1) },
          { name: 'east', path: '/', source: { zone: 'east' }, ...to(2) },
          { name: 'ann', path: '/', source: { subject: 'ann' }, auth, ...to(3) },
        ],
      }),
      'x',
    );
    const request = {
      method: 'GET',
      scheme: 'http' as const,
      authority: 'a',
      path: '/x',
      fields: new Fields(),
      body: emptyBody,
    };
    const taken = (by: object): string | undefined =>
      explain(routes, request, by).find(({ verdict }) => verdict === 'taken')?.route.name;
    assert.deepEqual(
      [taken({}), taken({ zone: 'east' }), taken({ zone: 'east', subject: 'ann' })],
      ['all', 'east', 'ann'],
    );
  });
});
