import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from './fields.ts';

describe('Fields', () => {
  it('keeps order and repetition', () => {
    const fields = new Fields().append('a', '1').append('b', '2').append('a', '3');
    assert.deepEqual(
      [...fields],
      [
        ['a', '1'],
        ['b', '2'],
        ['a', '3'],
      ],
    );
    assert.equal(fields.get('a'), '1');
    assert.deepEqual(fields.all('a'), ['1', '3']);
    assert.equal(fields.size, 3);
  });

  it('replaces and removes all of a name', () => {
    const fields = new Fields(['a', '1', 'b', '2', 'a', '3']);
    assert.deepEqual(
      [...fields.clone().set('a', '4')],
      [
        ['b', '2'],
        ['a', '4'],
      ],
    );
    assert.deepEqual([...fields.delete('a')], [['b', '2']]);
    assert.equal(fields.has('a'), false);
    assert.deepEqual(fields.all('a'), []);
  });

  it('does not know names that nobody has set', () => {
    const fields = Fields.of({ a: '1' });
    for (const name of ['__proto__', 'constructor', 'toString', ''])
      assert.equal(fields.get(name), undefined);
    fields.set('__proto__', 'x');
    assert.equal(fields.get('__proto__'), 'x');
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  });

  it('does not share with its clone', () => {
    const fields = Fields.of({ a: '1' });
    fields.clone().append('b', '2');
    assert.equal(fields.has('b'), false);
  });

  it('does not take a value for a name', () => {
    assert.equal(new Fields(['a', 'b', 'c', 'd']).get('b'), undefined);
    assert.deepEqual([...new Fields(['a', 'b', 'b', 'x']).delete('b')], [['a', 'b']]);
  });
});
