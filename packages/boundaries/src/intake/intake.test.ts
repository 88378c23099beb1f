import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { classesOf } from './class-names.ts';
import { readGitHistory } from './git-history.ts';
import { readOpenApi } from './openapi.ts';
import { readProtobuf } from './protobuf.ts';
import { readRelationTables, tableKindOf } from './relation-table.ts';
import { readServiceCutter } from './service-cutter.ts';
import { readSql } from './sql.ts';
import { tablesOf } from './sql-statement.ts';
import type { Checked } from '../model/problem.ts';
import { capabilityOf } from '../model/system.ts';

function valueOf<T>(checked: Checked<T>): T {
  assert.ok(checked.ok, checked.ok ? '' : JSON.stringify(checked.problems));
  return checked.value;
}

describe('the tables of a statement', () => {
  const cases: [string, string][] = [
    ['SELECT * FROM orders', 'orders read'],
    [
      'SELECT a FROM "Order Lines" l, public.users AS u JOIN shop.items i ON true',
      'Order Lines read, users read, shop.items read',
    ],
    ['INSERT INTO orders (a) SELECT a FROM carts', 'orders write, carts read'],
    ['UPDATE stock SET n = n - q FROM unnest($1::int[]) AS lines (q) WHERE true', 'stock write'],
    ['DELETE FROM carts USING users WHERE true', 'carts write, users read'],
    [
      'SELECT 1 FROM stock WHERE id IN (SELECT id FROM lines) FOR UPDATE SKIP LOCKED',
      'stock read, lines read',
    ],
    ['SELECT 1 FROM stock FOR NO KEY UPDATE', 'stock read'],
    [
      'WITH old AS (SELECT * FROM orders), more (x) AS (SELECT 1) DELETE FROM archive WHERE id IN (SELECT id FROM old, more)',
      'archive write, orders read',
    ],
    ["SELECT 'FROM nowhere' -- FROM comment\n FROM real /* FROM block */", 'real read'],
    ['SELECT extract(epoch FROM created) FROM orders WHERE a IS DISTINCT FROM b', 'orders read'],
    ['INSERT INTO r (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = 1', 'r write'],
    ['TRUNCATE TABLE logs', 'logs write'],
    ['SELECT 1', ''],
  ];
  for (const [statement, expected] of cases) {
    test(statement, () => {
      const found = tablesOf(statement).map(({ entity, access }) => `${entity} ${access}`);
      assert.deepEqual(
        found.sort(),
        expected
          .split(', ')
          .filter((each) => each !== '')
          .sort(),
      );
    });
  }
});

test('SQL: foreign keys couple by data, joint statements by function', () => {
  const text = `CREATE TABLE stock (id text PRIMARY KEY);
    CREATE TABLE lines (stock_id text NOT NULL REFERENCES stock, n int);
    CREATE TABLE users (id text);
    SELECT * FROM lines JOIN stock ON true; SELECT * FROM lines, stock; SELECT * FROM users JOIN lines ON true;`;
  const { capabilities, relations } = valueOf(readSql([{ path: 'schema.sql', text }]));
  assert.deepEqual(capabilities.map(({ name }) => name).sort(), ['lines', 'stock', 'users']);
  const found = relations.map(({ criterion, a, b, value }) => `${criterion} ${a} ${b} ${value.toFixed(3)}`);
  const least = (1 / (1 + Math.log(2))).toFixed(3);
  assert.deepEqual(found.sort(), [
    'data lines stock 0.800',
    'functional lines stock 1.000',
    `functional lines users ${least}`,
  ]);
  assert.equal(readSql([{ path: 'x', text: 'SELECT 1' }]).ok, false);
});

test('git: the share of commits that change both; sweeps and single commits say nothing', () => {
  const sweep = Array.from({ length: 20 }, (_, at) => `packages/p${at}/x`).join('\n');
  const log = [
    'packages/a/x\npackages/b/y',
    'packages/a/x\npackages/b/z\npackages/c/q',
    'packages/a/x',
    sweep,
  ]
    .map((each) => `\u0000\n\n${each}\n`)
    .join('');
  const { relations } = valueOf(readGitHistory(log));
  assert.deepEqual(relations, [
    {
      criterion: 'temporal',
      a: 'packages/a',
      b: 'packages/b',
      value: 2 / 3,
      evidence: '2 of 3 commits changed both',
    },
  ]);
  const capabilities = [
    capabilityOf({ name: 'A', paths: ['packages/a'] }),
    capabilityOf({ name: 'B', paths: ['packages/b/'] }),
  ];
  assert.equal(valueOf(readGitHistory(log, { capabilities })).relations[0]?.a, 'A');
  assert.equal(readGitHistory('').ok, false);
});

test('OpenAPI: a capability for each tag or first segment', () => {
  const schema = (name: string): unknown => ({
    content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
  });
  const document = {
    openapi: '3.1.0',
    info: { title: 'Shop' },
    paths: {
      '/v1/orders': { post: { operationId: 'placeOrder', requestBody: schema('Order') }, parameters: [] },
      '/v1/orders/{id}': { get: { responses: { 200: schema('Order') } } },
      '/stock': { get: { tags: ['inventory'], responses: { 200: schema('Stock') } } },
    },
  };
  const { name, capabilities } = valueOf(readOpenApi(document));
  assert.equal(name, 'Shop');
  assert.deepEqual(
    capabilities.map(({ name, operations, entities }) => [name, operations, entities]),
    [
      ['orders', ['placeOrder', 'GET /v1/orders/{id}'], [{ entity: 'Order', access: 'write' }]],
      ['inventory', ['GET /stock'], [{ entity: 'Stock', access: 'read' }]],
    ],
  );
  assert.equal(readOpenApi({ openapi: '3.1.0', paths: {} }).ok, false);
  assert.equal(readOpenApi(7).ok, false);
});

test('protobuf: a capability for each service', () => {
  const text = `syntax = "proto3"; // service Comment {}
    service OrderService {
      rpc GetOrder(GetRequest) returns (GetResponse) { option idempotency_level = NO_SIDE_EFFECTS; }
      rpc Watch(stream GetRequest) returns (stream GetResponse);
    }
    message GetRequest { string id = 1; }
    message GetResponse { Order order = 1; map<string, Line> lines = 2; }
    message Order { string id = 1; repeated Line lines = 2; }
    message Line { int32 n = 1; }`;
  const [service, ...more] = valueOf(readProtobuf([{ path: 'o.proto', text }])).capabilities;
  assert.equal(more.length, 0);
  assert.deepEqual(service?.operations, ['GetOrder', 'Watch']);
  assert.deepEqual(service?.entities.map(({ entity, access }) => `${entity} ${access}`).sort(), [
    'Line read',
    'Order read',
  ]);
  assert.equal(readProtobuf([{ path: 'x', text: 'message A {}' }]).ok, false);
});

describe('relation tables', () => {
  const calls = ',ClassA,ClassB,ReferenceCount\n0,p.A,p.B,3\n1,p.B,p.B,9\n';
  const terms = ',className1,className2,ClassTermRel\n0,p.A,p.C,0.5\n1,p.C,p.A,0.7\n';

  test('are known by their headers, and read together', () => {
    assert.deepEqual(
      [tableKindOf(calls), tableKindOf(terms), tableKindOf('a,b')],
      ['calls', 'terms', undefined],
    );
    const { capabilities, relations, kind } = valueOf(
      readRelationTables([
        { kind: 'calls', text: calls },
        { kind: 'terms', text: terms },
      ]),
    );
    assert.equal(kind, 'parts');
    assert.deepEqual(
      capabilities.map(({ name, dependencies }) => [name, dependencies]),
      [
        ['p.A', [{ on: 'p.B', calls: 3 }]],
        ['p.B', []],
        ['p.C', []],
      ],
    );
    assert.deepEqual(
      relations.map(({ criterion, value }) => [criterion, value]),
      [['vocabulary', 0.7]],
    );
  });

  test('wrong lines are all told', () => {
    const text =
      ',ClassA,ClassB,ReferenceCount\n0,a,b,x\n1,a,,2\n2,a,b,-1\n3,a,b,1\n4,a,b,1,1\n5,a,b\n6,a,b,1e999';
    const read = readRelationTables([
      { kind: 'calls', text },
      { kind: 'terms', text: 'a,b,ClassTermRel\nx,y,97' },
      { kind: 'names', text: 'nothing' },
    ]);
    assert.ok(!read.ok);
    assert.deepEqual(
      read.problems.map(({ path }) => path.join(':')),
      ['0:2', '0:3', '0:4', '0:6', '0:7', '0:8', '1:2', '2:1'],
    );
    assert.match(read.problems[6]?.message ?? '', /likeness from 0 to 1.*found "x,y,97"/);
  });

  test('are read as spreadsheets write them', () => {
    const expected = valueOf(readRelationTables([{ kind: 'calls', text: calls }]));
    const written = [
      calls.replaceAll('\n', '\r\n'),
      `\uFEFF${calls}`,
      calls.replaceAll(',', ';'),
      calls.replaceAll(',', '\t'),
      calls.replace(/[\w.]+/g, '"$&"'),
      calls.replace(/^\d*,/gm, ''),
    ];
    for (const text of written) {
      assert.equal(tableKindOf(text), 'calls', text);
      assert.deepEqual(valueOf(readRelationTables([{ kind: 'calls', text }])), expected, text);
    }
    const text = 'a;b;ReferenceCount\n"p.A<K;V>";p.B;2\np.A;p.B;0,5';
    const read = readRelationTables([{ kind: 'calls', text }]);
    assert.deepEqual(read.ok || read.problems.map(({ path }) => path), [[0, 3]]);
  });

  test('a pair that stands twice: calls are added, likeness is not', () => {
    const { capabilities, relations } = valueOf(
      readRelationTables([
        { kind: 'calls', text: `${calls}0,p.A,p.B,3\n` },
        { kind: 'terms', text: `${terms}2,p.A,p.C,0.5\n` },
      ]),
    );
    assert.deepEqual(capabilities[0]?.dependencies, [{ on: 'p.B', calls: 6 }]);
    assert.deepEqual(
      relations.map(({ value }) => value),
      [0.7],
    );
  });

  test('nested classes and arrays are part of their class, in whatever spelling', () => {
    const head = 'a,b,';
    const { capabilities, relations } = valueOf(
      readRelationTables([
        {
          kind: 'calls',
          text: `${head}ReferenceCount\np.A,p.A$In,3\np.A$In,p.B[],2\np.B,p.B[],1\np.B,p.A$In$1,4`,
        },
        { kind: 'terms', text: `${head}ClassTermRel\np.A.In,p.B,0.5\np.A.Other,p.A.In,0.9` },
      ]),
    );
    assert.deepEqual(
      capabilities.map(({ name, dependencies }) => [name, dependencies]),
      [
        ['p.A', [{ on: 'p.B', calls: 2 }]],
        ['p.B', [{ on: 'p.A', calls: 4 }]],
      ],
    );
    assert.deepEqual(
      relations.map(({ a, b, value }) => [a, b, value]),
      [['p.A', 'p.B', 0.5]],
    );
  });
});

describe('the class of a name', () => {
  const cases: [name: string, among: string[], expected: string][] = [
    ['p.A$B$C', ['p.A', 'p.A$B'], 'p.A'],
    // A class whose own name is a dollar sign.
    ['p.A$$', ['p.A'], 'p.A'],
    ['p.A.$.Field', ['p.A', 'p.A$$$Field'], 'p.A'],
    // Nothing tells that these are nested: the class around is not known, or it may be a package.
    ['p.A$B', ['p.C'], 'p.A$B'],
    ['p.A.B', ['p.A'], 'p.A.B'],
    ['p.$A$B', ['p'], 'p.$A$B'],
    ['p.Ax', ['p.A', 'p.A$B'], 'p.Ax'],
    ['p.A[][]', [], 'p.A'],
    // Two spellings of one class whose outer class is not known.
    ['p.A.B', ['p.A$B'], 'p.A$B'],
  ];
  for (const [name, among, expected] of cases) {
    test(`${name} among ${among.join(', ')}`, () => {
      assert.equal(classesOf([name, ...among]).get(name), expected);
      assert.equal(classesOf([name, ...among].reverse()).get(name), expected);
    });
  }
});

describe('Service Cutter', () => {
  const model = {
    name: 'tiny',
    entities: [
      { name: 'A', nanoentities: ['x', 'y'] },
      { name: 'B', nanoentities: ['z'] },
    ],
    relations: [{ origin: 'A', destination: 'B', type: 'AGGREGATION' }],
  };
  const users = {
    useCases: [
      {
        name: 'u',
        nanoentitiesRead: ['B.z'],
        nanoentitiesWritten: ['A.x', 'A.y'],
        isLatencyCritical: 'true',
      },
    ],
    separatedSecurityZones: [
      { name: 'p', nanoentities: ['A.x'] },
      { name: 'q', nanoentities: ['B.z'] },
    ],
    compatibilities: { contentVolatility: [{ characteristic: 'Often', nanoentities: ['A.x'] }] },
  };

  test('by hand', () => {
    const { relations, weights } = valueOf(readServiceCutter(model, users));
    const of = (criterion: string): string[] =>
      relations
        .filter((each) => each.criterion === criterion)
        .map(({ a, b, value }) => `${a} ${b} ${value.toFixed(2)}`)
        .sort();
    assert.deepEqual(of('identity and lifecycle'), ['A.x A.y 1.00']);
    // Written together 10; written and read 3, and 1 for the aggregation; the top tenth of three pairs is the first.
    assert.deepEqual(of('semantic proximity'), ['A.x A.y 1.00', 'A.x B.z 0.40', 'A.y B.z 0.40']);
    assert.deepEqual(of('latency').length, 3);
    assert.deepEqual(of('security zones'), ['A.x B.z -1.00']);
    // Often is 10, Regularly, which is meant where nothing is said, 5.
    assert.deepEqual(of('contentVolatility'), ['A.x A.y -0.50', 'A.x B.z -0.50']);
    assert.equal(weights['contentVolatility'], 0.5);
    assert.equal(weights['latency'], 3);
  });

  test('as its other samples and its schema write it', () => {
    const objects = model.entities.map(({ name, nanoentities }) => ({
      name,
      nanoentities: nanoentities.map((each) => ({ name: each })),
    }));
    const [useCase] = users.useCases;
    const { isLatencyCritical: _, ...rest } = useCase ?? {};
    const other = { ...users, useCases: [{ ...rest, latencyCritical: true }] };
    assert.deepEqual(
      valueOf(readServiceCutter({ ...model, entities: objects }, other)),
      valueOf(readServiceCutter(model, users)),
    );
    const wrong = readServiceCutter(
      { entities: [{ name: 'A', nanoentities: [{ title: 'x' }, null, 'y'] }] },
      { useCases: [{ name: 'u', isLatencyCritical: 'sometimes' }] },
    );
    assert.deepEqual(wrong.ok || wrong.problems.map(({ path }) => path.join('.')), [
      'entities.0.nanoentities.0.title',
      'entities.0.nanoentities.0.name',
      'entities.0.nanoentities.1',
      'useCases.0.isLatencyCritical',
    ]);
  });

  test('all that is wrong is told at once', () => {
    const read = readServiceCutter(
      {
        entities: [
          { name: 'A', nanoentities: ['x'] },
          { name: 'A', nanoentities: [] },
        ],
        relations: [{ origin: 'A', destination: 'Q', type: 'FRIENDSHIP' }],
      },
      { useCases: [{ name: 'u', nanoentitiesRead: ['A.nothing'] }], magic: [] },
    );
    assert.ok(!read.ok);
    const text = read.problems.map(({ message }) => message).join('\n');
    for (const part of [
      /two entities "A"/,
      /unknown entity "Q"/,
      /found "FRIENDSHIP"/,
      /unknown nanoentity "A\.nothing"/,
      /unknown key "magic"/,
    ]) {
      assert.match(text, part);
    }
  });
});
