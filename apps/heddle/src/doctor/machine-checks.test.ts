import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { examineMachine, type MachineQuestions } from './machine-checks.ts';

const bad = (message: string) => (): never => {
  throw new HeddleError({ code: 'failed_precondition', reason: 'BAD', message });
};

const well: MachineQuestions = {
  node: () => '26.10.0',
  running: bad('none runs'),
  dataFolder: () => '/data',
  port: async (port) => port,
  postgres: async () => 'PostgreSQL 18',
};

const found = async (questions: MachineQuestions): Promise<string[]> =>
  (await examineMachine(questions)).map(({ check, result }) => `${check} ${result}`);

test('a machine on which nothing runs is well when all can be had', async () => {
  const expected = ['node ok', 'data folder ok', 'up skipped', 'gateway ok', 'console ok', 'postgres ok'];
  assert.deepEqual(await found(well), expected);
});

test('the ports of a running "heddle up" are in use for a good reason', async () => {
  const urls = { console: 'http://127.0.0.1:8090', gateway: 'http://127.0.0.1:8080' };
  const questions = { ...well, running: () => urls, port: bad('in use') };
  const expected = ['node ok', 'data folder ok', 'up ok', 'ports skipped', 'postgres ok'];
  assert.deepEqual(await found(questions), expected);
});

test('each thing that is wrong is said with what to do', async () => {
  const advice = 'port 8080 is in use. Choose another';
  const findings = await examineMachine({ ...well, port: bad(advice), dataFolder: bad('not writable') });
  assert.deepEqual(
    findings.filter(({ result }) => result === 'failed').map(({ check, detail }) => `${check}: ${detail}`),
    ['data folder: not writable', `gateway: ${advice}`, `console: ${advice}`],
  );
});
