import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { VirtualTime } from '@heddle/kernel/simulated';
import { hashSync } from 'bcryptjs';
import { ApiKeys } from './api-keys.ts';
import { BasicUsers } from './basic.ts';
import { passwordHash } from './passwords.ts';

const bcrypt = hashSync('pass:wörd', 10);
const encoded = (text: string): string => Buffer.from(text).toString('base64');

describe('API keys', () => {
  const { clock } = new VirtualTime();
  const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');
  const stored = { roles: ['ops'], scopes: ['read'], expiresMs: undefined };
  const keys = new ApiKeys(
    [
      { ...stored, id: 'a', sha256: sha256('old').toUpperCase() },
      { ...stored, id: 'a', sha256: sha256('new') },
      { ...stored, id: 'b', sha256: sha256('late'), expiresMs: clock.wallMs() },
    ],
    clock,
  );

  test('an old and a new one of the same owner work at a time', () => {
    assert.equal(keys.verify('old').subject, 'a');
    assert.deepEqual(keys.verify('new').scopes, ['read']);
  });

  for (const given of ['late', '', 'x', sha256('old'), 'old '.repeat(1000)])
    test(`refuses ${JSON.stringify(given.slice(0, 20))}`, () =>
      assert.throws(() => keys.verify(given), { reason: 'BAD_API_KEY' }));
});

describe('Basic', () => {
  const users = new BasicUsers([{ name: 'ann', hash: bcrypt, roles: ['shop'] }]);

  test('takes UTF-8, and colons in passwords', async () => {
    assert.deepEqual((await users.verify(encoded('ann:pass:wörd'))).roles, ['shop']);
  });

  for (const [what, given] of [
    ['a wrong password', encoded('ann:pass')],
    ['an unknown user', encoded('bob:pass:wörd')],
    ['no colon', encoded('ann')],
    ['no user', encoded(':pass:wörd')],
    ['missing padding', encoded('ann:pass:wörd').replaceAll('=', '') + 'A'],
    ['blanks', ` ${encoded('ann:pass:wörd')}`],
    ['no UTF-8', Buffer.from([0x61, 0x3a, 0xff]).toString('base64')],
    ['ten kilobytes', encoded(`ann:${'x'.repeat(10_000)}`)],
    ['more than bcrypt reads', encoded(`ann:pass:wörd${'\0'.repeat(70)}`)],
  ] as const) {
    test(`refuses ${what}`, () => assert.rejects(users.verify(given), { reason: 'BAD_CREDENTIALS' }));
  }

  test('argon2id is compared with what Node makes of it', async () => {
    const { argon2Sync } = await import('node:crypto');
    const parameters = {
      message: 'secret',
      nonce: Buffer.alloc(16, 7),
      parallelism: 1,
      tagLength: 32,
      memory: 8192,
      passes: 1,
    };
    const [salt, hash] = [parameters.nonce, argon2Sync('argon2id', parameters)].map((bytes) =>
      bytes.toString('base64').replaceAll('=', ''),
    );
    const stored = passwordHash(`$argon2id$v=19$m=8192,t=1,p=1$${salt}$${hash}`);
    assert.equal(await stored.matches('secret'), true);
    assert.equal(await stored.matches('Secret'), false);
  });

  for (const hash of [
    'plain',
    '$2b$04$'.padEnd(60, 'a'),
    '$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQxMjM0$'.padEnd(80, 'a'),
  ])
    test(`refuses the hash ${hash.slice(0, 12)}`, () =>
      assert.throws(() => passwordHash(hash), { reason: 'BAD_PASSWORD_HASH' }));
});
