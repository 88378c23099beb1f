import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mergeSystems } from './merge.ts';
import { placeOf } from './problem.ts';
import { readSystem } from './read-system.ts';
import { capabilityOf, systemOf } from './system.ts';

function problemsOf(document: unknown): string[] {
  const read = readSystem(document);
  return read.ok ? [] : read.problems.map(({ path, message }) => `${placeOf(path)}: ${message}`);
}

describe('a capability document', () => {
  test('is read with its defaults', () => {
    const read = readSystem({
      capabilities: [
        {
          name: 'a',
          entities: ['E', { name: 'F', access: 'read' }],
          dependencies: ['b', { on: 'c', calls: 7 }],
        },
        { name: 'b', team: 't', complexity: 3 },
        { name: 'c' },
      ],
      weights: { team: 0 },
    });
    assert.ok(read.ok);
    const [a] = read.value.capabilities;
    assert.deepEqual(a?.entities, [
      { entity: 'E', access: 'write' },
      { entity: 'F', access: 'read' },
    ]);
    assert.deepEqual(a?.dependencies, [{ on: 'b' }, { on: 'c', calls: 7 }]);
    assert.equal(a?.complexity, 1);
    assert.equal(read.value.weights['team'], 0);
    assert.equal(read.value.weights['data'], 0.4);
  });

  test('all that is wrong is told at once, each with its place', () => {
    const problems = problemsOf({
      capabilities: [
        { name: 'orders', dependencies: ['paymnets', 'orders'], colour: 'red' },
        { name: 'payments', complexity: 'much' },
        { name: 'orders' },
        'users',
        { entities: [{ name: 'E', access: 'append' }] },
      ],
      relations: [{ criterion: 'magic', a: 'orders', b: 'nobody', value: 2 }],
      constraints: {
        mustLink: [
          ['orders', 'payments'],
          ['payments', 'orders'],
        ],
        minSize: 9,
        maxSize: 1,
      },
      weights: { dta: 1 },
    });
    const expected = [
      /^capabilities\[0\]\.colour: unknown key "colour"/,
      /^capabilities\[1\]\.complexity: expected a number of at least 0; found "much"/,
      /^capabilities\[3\]: expected an object .*; found "users"/,
      /^capabilities\[4\]\.name: expected a text/,
      /^capabilities\[4\]\.entities\[0\]\.access: expected read or write; found "append"/,
      /^relations\[0\]\.value: expected a number from -1 to 1; found 2/,
      /^weights\.dta: unknown key "dta"/,
      /^capabilities\[0\]\.dependencies\[0\]: unknown capability "paymnets"/,
      /^capabilities\[0\]\.dependencies\[1\]: "orders" depends on itself/,
      /^capabilities\[2\]\.name: "orders" is also the name of capabilities\[0\]/,
      /^relations\[0\]\.b: unknown capability "nobody"/,
      /^relations\[0\]\.criterion: unknown criterion "magic"/,
      /^constraints\.mustLink\[1\]: cyclic must-link: "payments" and "orders" are linked already/,
      /^constraints\.minSize: minSize 9 is above maxSize 1/,
    ];
    for (const each of expected)
      assert.ok(
        problems.some((problem) => each.test(problem)),
        `${each}\n${problems.join('\n')}`,
      );
  });

  test('an empty one has nothing to group', () => {
    assert.match(
      problemsOf({ capabilities: [] })[0] ?? '',
      /^capabilities: expected at least one capability/,
    );
    assert.match(problemsOf({})[0] ?? '', /at least one capability/);
    assert.match(problemsOf('text')[0] ?? '', /^the document: expected an object/);
  });

  test('constraints that contradict each other are told', () => {
    const capabilities = [
      { name: 'a', team: 's', complexity: 5 },
      { name: 'b', team: 't', complexity: 5 },
      { name: 'c' },
    ];
    const mustLink = [['a', 'b']];
    const problems = problemsOf({
      capabilities,
      constraints: {
        mustLink,
        cannotLink: [['b', 'a']],
        maxSize: 1,
        maxComplexity: 4,
        oneTeamPerService: true,
      },
    }).join('\n');
    assert.match(problems, /cannotLink\[0\]: "b" and "a" cannot be linked, but a must-link joins them/);
    assert.match(problems, /more than maxSize 1/);
    assert.match(problems, /add up to complexity 10, above maxComplexity 4/);
    assert.match(problems, /belong to the teams s, t/);
    assert.match(problems, /capabilities\[0\]\.complexity: "a" alone has complexity 5/);
  });

  test('a long circle of must-links is seen', () => {
    const capabilities = ['a', 'b', 'c', 'd'].map((name) => ({ name }));
    const mustLink = [
      ['a', 'b'],
      ['c', 'd'],
      ['b', 'c'],
      ['d', 'a'],
    ];
    const problems = problemsOf({ capabilities, constraints: { mustLink } });
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', /mustLink\[3\]: cyclic must-link/);
  });
});

test('several sources are one system: evidence of the same capability is added up', () => {
  const first = systemOf({
    capabilities: [
      capabilityOf({ name: 'a', team: 't', dependencies: [{ on: 'b', calls: 1 }] }),
      capabilityOf({ name: 'b' }),
    ],
  });
  const second = systemOf({
    capabilities: [
      capabilityOf({
        name: 'a',
        entities: [{ entity: 'E', access: 'read' }],
        dependencies: [{ on: 'b', calls: 2 }],
      }),
    ],
  });
  const merged = mergeSystems([first, second]);
  assert.ok(merged.ok);
  assert.deepEqual(merged.value.capabilities[0]?.dependencies, [{ on: 'b', calls: 3 }]);
  assert.equal(merged.value.capabilities[0]?.team, 't');
  assert.equal(merged.value.capabilities[0]?.entities.length, 1);
  assert.equal(mergeSystems([]).ok, false);
});
