import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readOtlp } from '../intake/otlp.ts';
import { systemOfTraces } from '../intake/traces.ts';
import type { System } from '../model/system.ts';
import { driftMarkdown } from '../report/markdown.ts';
import { driftOf } from './drift.ts';
import { planOfToday, readPlan } from './plan.ts';

interface SpanSketch {
  readonly id: string;
  readonly parent?: string;
  readonly service: string;
  readonly kind: number | string;
  readonly name?: string;
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** OTLP JSON as an exporter would write it. */
function exported(traceId: string, spans: readonly SpanSketch[]): unknown {
  const attributesOf = (attributes: Readonly<Record<string, string | number>>): unknown[] =>
    Object.entries(attributes).map(([key, value]) => ({
      key,
      value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
    }));
  return {
    resourceSpans: spans.map(({ id, parent = '', service, kind, name = id, attributes = {} }) => ({
      resource: { attributes: attributesOf({ 'service.name': service, 'process.pid': 7 }) },
      scopeSpans: [
        {
          scope: { name: 'x' },
          spans: [
            { traceId, spanId: id, parentSpanId: parent, name, kind, attributes: attributesOf(attributes) },
          ],
        },
      ],
    })),
  };
}

const sql = (statement: string): Readonly<Record<string, string>> => ({
  'db.system.name': 'postgresql',
  'db.namespace': 'shop',
  'db.query.text': statement,
});

/** Order calls payment; each writes its own table. */
const fine: readonly SpanSketch[] = [
  {
    id: '1',
    service: 'order',
    kind: 2,
    attributes: { 'http.request.method': 'POST', 'http.route': '/orders' },
  },
  { id: '2', parent: '1', service: 'order', kind: 1, name: 'validate' },
  {
    id: '3',
    parent: '2',
    service: 'order',
    kind: 'SPAN_KIND_CLIENT',
    attributes: sql('INSERT INTO orders VALUES ($1)'),
  },
  { id: '4', parent: '2', service: 'order', kind: 3, name: 'Charge' },
  {
    id: '5',
    parent: '4',
    service: 'payment',
    kind: 2,
    attributes: { 'rpc.service': 'shop.Payments', 'rpc.method': 'Charge' },
  },
  { id: '6', parent: '5', service: 'payment', kind: 3, attributes: sql('INSERT INTO payments VALUES ($1)') },
  { id: '7', service: 'payment', kind: 3, attributes: sql('SELECT 1 FROM payments') },
];

function observe(...spans: (readonly SpanSketch[])[]): System {
  const read = readOtlp(spans.map((each, at) => exported(`t${at}`, each)));
  assert.ok(read.ok, JSON.stringify(read));
  return systemOfTraces(read.value);
}

describe('a system as its traces show it', () => {
  const system = observe(fine, fine);

  test('operations, the tables they touch, and what they call', () => {
    const found = system.capabilities.map(({ name, service, entities, dependencies }) => ({
      name,
      service,
      entities,
      dependencies,
    }));
    assert.deepEqual(found, [
      {
        name: 'order: POST /orders',
        service: 'order',
        entities: [{ entity: 'shop.orders', access: 'write' }],
        dependencies: [{ on: 'payment: Payments/Charge', calls: 2, share: 1 }],
      },
      {
        name: 'payment: Payments/Charge',
        service: 'payment',
        entities: [{ entity: 'shop.payments', access: 'write' }],
        dependencies: [],
      },
      {
        name: 'payment: (background)',
        service: 'payment',
        entities: [{ entity: 'shop.payments', access: 'read' }],
        dependencies: [],
      },
    ]);
  });

  test('requests from outside are use cases', () => {
    const [buy] = system.useCases;
    assert.equal(buy?.name, 'order: POST /orders');
    assert.equal(buy?.rate, 2);
    assert.deepEqual(buy?.writes, ['shop.orders', 'shop.payments']);
    assert.deepEqual(buy?.calls, [{ from: 'order: POST /orders', to: 'payment: Payments/Charge', count: 1 }]);
  });

  test('spans above each other in a circle end somewhere', () => {
    const circle = [
      { id: 'a', parent: 'b', service: 's', kind: 1 },
      { id: 'b', parent: 'a', service: 's', kind: 1 },
    ];
    assert.ok(observe(circle).capabilities.length > 0);
  });

  test('what is no OTLP is told with its place', () => {
    const read = readOtlp([
      { resourceSpans: [{ resource: {}, scopeSpans: [{ spans: [{ spanId: 'x' }] }] }] },
      7,
    ]);
    assert.ok(!read.ok);
    const text = read.problems.map(({ message }) => message).join('\n');
    assert.match(text, /service\.name/);
    assert.match(text, /expected a text that is not empty/);
    assert.match(text, /expected a list of spans by resource/);
  });
});

describe('drift', () => {
  const plan = planOfToday(observe(fine));

  test('there is none where all is as it was', () => {
    assert.deepEqual(driftOf(plan, observe(fine)), []);
    assert.match(driftMarkdown([]), /as planned/);
  });

  test('a service that begins to write another one’s table', () => {
    const planted = {
      id: '8',
      parent: '1',
      service: 'order',
      kind: 3,
      attributes: sql('UPDATE payments SET state = $1'),
    };
    const [worst, ...more] = driftOf(plan, observe([...fine, planted]));
    assert.equal(more.length, 0);
    assert.equal(worst?.kind, 'foreign-write');
    assert.equal(worst?.severity, 'error');
    assert.equal(
      worst?.message,
      'order writes shop.payments, which payment owns: no rule of payment holds for it any more',
    );
    assert.deepEqual(worst?.evidence, ['order: POST /orders writes shop.payments']);
  });

  test('foreign reads, new calls, new services and tables, and what is missing', () => {
    const observed = observe([
      ...fine.filter(({ id }) => Number(id) < 4),
      { id: '10', parent: '1', service: 'order', kind: 3, attributes: sql('SELECT 1 FROM payments') },
      { id: '11', parent: '1', service: 'audit', kind: 2, name: 'log', attributes: {} },
      { id: '12', parent: '11', service: 'audit', kind: 3, attributes: sql('INSERT INTO log VALUES (1)') },
    ]);
    const kinds = driftOf(plan, observed).map(
      ({ kind, severity, subject }) => `${severity} ${kind} ${subject}`,
    );
    assert.deepEqual(kinds, [
      'warning foreign-read shop.payments',
      'warning unplanned-call audit',
      'warning unplanned-service audit',
      'note unplanned-entity shop.log',
      'note unseen-call payment',
      'note unseen-service payment',
    ]);
  });

  test('a capability that has moved', () => {
    const moved = {
      services: [
        { name: 'payment', capabilities: ['order: POST /orders'], owns: [], calls: [] },
        { name: 'order', capabilities: [], owns: [], calls: ['payment'] },
      ],
    };
    const [worst] = driftOf(moved, observe(fine));
    assert.equal(worst?.kind, 'moved-capability');
  });
});

describe('a plan', () => {
  test('is read, with all that is wrong at once', () => {
    const fineOne = readPlan({ services: { a: { owns: ['X'], calls: ['b'] }, b: {} } });
    assert.ok(fineOne.ok);
    assert.deepEqual(fineOne.value.services[0], { name: 'a', capabilities: [], owns: ['X'], calls: ['b'] });
    const wrong = readPlan({ services: { a: { owns: ['X'], calls: ['c'], likes: 1 }, b: { owns: ['X'] } } });
    assert.ok(!wrong.ok);
    const text = wrong.problems.map(({ message }) => message).join('\n');
    for (const part of [/unknown service "c"/, /"X" is also of a/, /unknown key "likes"/])
      assert.match(text, part);
    assert.equal(readPlan({}).ok, false);
    assert.equal(readPlan(undefined).ok, false);
  });
});
