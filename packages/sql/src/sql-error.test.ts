import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { isConnectionBroken, sqlError, violationOf } from './sql-error.ts';

function fromServer(state: string, extra: object = {}): Error {
  return Object.assign(new Error('said by the server'), { severity: 'ERROR', code: state, ...extra });
}

describe('sqlError', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['23505', 'already_exists', 'UNIQUE_VIOLATION'],
    ['23514', 'failed_precondition', 'CHECK_VIOLATION'],
    ['23P01', 'failed_precondition', 'CONSTRAINT_VIOLATION'],
    ['22001', 'invalid_argument', 'VALUE_REFUSED'],
    ['40001', 'aborted', 'SERIALIZATION_FAILURE'],
    ['40P01', 'aborted', 'DEADLOCK'],
    ['57014', 'deadline_exceeded', 'STATEMENT_TIMEOUT'],
    ['57P01', 'unavailable', 'DATABASE_STOPPING'],
    ['53300', 'resource_exhausted', 'TOO_MANY_CONNECTIONS'],
    ['28P01', 'failed_precondition', 'DATABASE_LOGIN_REFUSED'],
    ['42703', 'internal', 'SQL_ERROR'],
  ];
  for (const [state, code, reason] of cases) {
    test(`SQLSTATE ${state} is ${code} / ${reason}`, () => {
      const error = sqlError(fromServer(state), 'statement', 'database x');
      assert.deepEqual([error.code, error.reason, error.sent], [code, reason, true]);
      assert.match(error.message, new RegExp(`database x: .*${state}`));
    });
  }

  test('a refusal while connecting was not sent', () => {
    assert.equal(sqlError(fromServer('57P03'), 'connect', 'x').sent, false);
    assert.equal(
      sqlError(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }), 'connect', 'x').sent,
      false,
    );
  });

  test('a break is sent, unless the driver refused to write on a dead connection', () => {
    const broken = sqlError(new Error('Connection terminated unexpectedly'), 'statement', 'x');
    assert.deepEqual([broken.code, broken.reason, broken.sent], ['unavailable', 'CONNECTION_LOST', true]);
    const dead = new Error('Client has encountered a connection error and is not queryable');
    const refused = sqlError(dead, 'statement', 'x');
    assert.deepEqual([refused.reason, refused.sent], ['CONNECTION_LOST', false]);
    assert.ok(isConnectionBroken(broken) && isConnectionBroken(refused));
  });

  test('a break during the commit leaves the outcome unknown', () => {
    const error = sqlError(new Error('Connection terminated unexpectedly'), 'commit', 'x');
    assert.deepEqual([error.code, error.reason, error.sent], ['unknown', 'COMMIT_UNKNOWN', true]);
  });

  test('a system error of five letters is not taken for a SQLSTATE', () => {
    const error = sqlError(Object.assign(new Error('broken pipe'), { code: 'EPIPE' }), 'statement', 'x');
    assert.equal(error.reason, 'CONNECTION_LOST');
  });

  test('a violation says which rule; other errors say none', () => {
    const found = violationOf(
      sqlError(fromServer('23505', { table: 't', constraint: 't_pkey' }), 'statement', 'x'),
    );
    assert.deepEqual(found, { table: 't', constraint: 't_pkey', column: undefined });
    assert.equal(violationOf(sqlError(fromServer('40001'), 'statement', 'x')), undefined);
  });

  test('a HeddleError passes as it is', () => {
    const own = new HeddleError({ code: 'not_found', reason: 'NO_SUCH_ORDER', message: 'none' });
    assert.equal(sqlError(own, 'statement', 'x'), own);
  });
});
