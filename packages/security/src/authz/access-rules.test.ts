import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Identity } from '../identity.ts';
import { type AccessRule, checkAccess } from './access-rules.ts';

const any: AccessRule = { effect: 'allow', methods: [], paths: [], roles: [], scopes: [], subjects: [] };
const ann: Identity = {
  subject: 'ann',
  method: 'jwt',
  issuer: 'i',
  roles: ['user'],
  scopes: ['read', 'list'],
  claims: {},
};

function admits(
  rules: readonly Partial<AccessRule>[],
  who: Identity | undefined,
  method = 'GET',
  path = '/a/b',
): boolean {
  try {
    checkAccess(
      rules.map((rule) => ({ ...any, ...rule })),
      { method, path, identity: who },
    );
    return true;
  } catch {
    return false;
  }
}

describe('access rules', () => {
  test('without any, all may', () => assert.ok(admits([], undefined)));
  test('with one that admits, only those whom it admits', () => {
    assert.ok(admits([{ roles: ['admin', 'user'] }], ann));
    assert.ok(!admits([{ roles: ['admin'] }], ann));
    assert.ok(!admits([{ roles: ['user'] }], undefined));
  });
  test('all scopes are needed', () => {
    assert.ok(admits([{ scopes: ['read', 'list'] }], ann));
    assert.ok(!admits([{ scopes: ['read', 'write'] }], ann));
  });
  test('a denial stands above any admission, in any order', () => {
    const deny = { effect: 'deny', subjects: ['ann'] } as const;
    assert.ok(!admits([{}, deny], ann));
    assert.ok(!admits([deny, {}], ann));
    assert.ok(admits([deny], undefined));
  });
  test('paths are prefixes on segment borders', () => {
    assert.ok(admits([{ paths: ['/a/'] }], ann));
    assert.ok(!admits([{ paths: ['/a'] }], ann, 'GET', '/ab'));
    assert.ok(admits([{ paths: ['/'] }], ann, 'GET', '/'));
    assert.ok(!admits([{ methods: ['GET'] }], ann, 'POST'));
  });
});
