import assert from 'node:assert/strict';
import test from 'node:test';
import { ipBlock } from './ip-block.ts';
import { isPathTemplate, pathTemplateProblem } from './path-pattern.ts';

test('templates that Istio refuses are told with the reason', () => {
  for (const good of ['/foo/{*}', '/{*}/foo/', '/foo/{**}/bar', '/a/{*}/b/{**}']) {
    assert.equal(pathTemplateProblem(good), undefined, good);
  }
  for (const bad of [
    '/*/baz/{*}',
    '/**/baz/{*}',
    '/{**}/foo/{*}',
    '/foo/{*}.txt',
    '/foo/{}/{*}',
    '/{**}/{**}',
  ]) {
    assert.equal(isPathTemplate(bad), true, bad);
    assert.notEqual(pathTemplateProblem(bad), undefined, bad);
  }
  assert.equal(isPathTemplate('/a*'), false);
});

test('blocks of addresses', () => {
  const within = (block: string, address: string): boolean | undefined => ipBlock(block)?.(address);
  assert.equal(within('0.0.0.0/0', '255.1.2.3'), true);
  assert.equal(within('10.0.0.0/31', '10.0.0.1'), true);
  assert.equal(within('10.0.0.0/31', '10.0.0.2'), false);
  assert.equal(within('::/0', '::1'), true);
  assert.equal(within('::/0', '1.2.3.4'), false);
  assert.equal(within('2001:db8::ff00/120', '2001:db8::ff7f'), true);
  assert.equal(within('10.0.0.1', '::ffff:10.0.0.1'), true);
});

test('what is no block is told apart from one that matches nothing', () => {
  for (const bad of [
    '',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.0/33',
    '1::2::3',
    '::/129',
    '1:2:3:4:5:6:7:8:9',
    'a/8',
    '10.0.0.0/x',
  ]) {
    assert.equal(ipBlock(bad), undefined, bad);
  }
});
