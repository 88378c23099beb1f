import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withTable } from './document.ts';

const results = [
  {
    backend: 'embedded',
    version: '',
    case: 'in process: wiped: all come back',
    status: 'unsupported',
    detail: 'no server',
  },
  { backend: 'embedded', version: '', case: 'as a server: wiped: all come back', status: 'pass' },
  {
    backend: 'embedded',
    version: '',
    case: 'as a server: slow',
    status: 'pass',
  },
  { backend: 'etcd', version: '3.4', case: 'wiped: all come back', status: 'pass' },
  { backend: 'etcd', version: '3.4', case: 'compacted', status: 'fail' },
] as const;

test('a line for each case, a column for each way of using a backend, and the reasons below', () => {
  const text = withTable('# Page\n', 'discovery', results);
  assert.match(text, /\| case \| embedded, in process \| embedded, as a server \| etcd 3\.4 \|/);
  assert.match(text, /\| wiped: all come back \| – \| ✓ \| ✓ \|/);
  assert.match(text, /\| compacted \|  \|  \| ✗ \|/);
  assert.match(text, /^- embedded, in process: no server$/m);
});

test('a table that is there is replaced, and what stands round it stays', () => {
  const once = withTable('# Page\n\nabove\n', 'discovery', results);
  const twice = withTable(`${once}\nbelow\n`, 'discovery', results.slice(3));
  assert.match(twice, /above[\s\S]*etcd[\s\S]*below/);
  assert.doesNotMatch(twice, /embedded/);
});

test('more cases of one backend than a reader goes through are summed, but for those that did not pass', () => {
  const many = Array.from({ length: 100 }, (_, at) => ({
    backend: 'etcd',
    version: '',
    case: `table ${at}`,
    status: at === 7 ? ('fail' as const) : ('pass' as const),
  }));
  const text = withTable('# Page\n', 'discovery', [...results, ...many]);
  assert.match(text, /\| 99 cases of its own \|.*99 ✓/);
  assert.match(text, /\| table 7 \|.*✗/);
  assert.doesNotMatch(text, /table 8 /);
});
