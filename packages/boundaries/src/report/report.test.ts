import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Capability, capabilityOf, systemOf, unconstrained } from '../model/system.ts';
import { literalRule } from '../seed/literal-rule.ts';
import { reportMarkdown } from './markdown.ts';
import { ownersOf } from './ownership.ts';
import { reportPage } from './page.ts';
import { priceOf } from './price.ts';
import { analyse } from './report.ts';

const writes = (...entities: string[]): Capability['entities'] =>
  entities.map((entity) => ({ entity, access: 'write' }));
const needs = (...names: string[]): Capability['dependencies'] => names.map((on) => ({ on }));

/** The five capabilities that the analyser was first described with. */
const five = systemOf({
  name: 'shop',
  capabilities: [
    capabilityOf({
      name: 'user_management',
      entities: writes('User', 'Profile', 'Authentication'),
      operations: ['create_user', 'update_profile', 'authenticate'],
      team: 'user_team',
      complexity: 3,
    }),
    capabilityOf({
      name: 'order_processing',
      entities: writes('Order', 'OrderItem', 'OrderStatus'),
      operations: ['create_order', 'update_order', 'cancel_order'],
      dependencies: needs('user_management', 'product_catalog', 'payment_processing'),
      team: 'order_team',
      complexity: 5,
    }),
    capabilityOf({
      name: 'product_catalog',
      entities: writes('Product', 'Category', 'Inventory'),
      operations: ['add_product', 'update_inventory', 'search_products'],
      team: 'product_team',
      complexity: 4,
    }),
    capabilityOf({
      name: 'payment_processing',
      entities: writes('Payment', 'Transaction', 'PaymentMethod'),
      operations: ['process_payment', 'refund', 'validate_payment'],
      dependencies: needs('user_management'),
      team: 'payment_team',
      complexity: 6,
    }),
    capabilityOf({
      name: 'notification_service',
      entities: writes('Notification', 'Template', 'DeliveryLog'),
      operations: ['send_email', 'send_sms', 'push_notification'],
      dependencies: needs('user_management'),
      team: 'platform_team',
      complexity: 2,
    }),
  ],
});

test('parts are grouped even where chance would do as well, and the report says so', () => {
  const partsOf = (pairs: readonly (readonly [string, string])[]): string => {
    const names = [...new Set(pairs.flat())];
    const capabilities = names.map((name) =>
      capabilityOf({
        name,
        dependencies: needs(...pairs.filter(([from]) => from === name).map(([, to]) => to)),
      }),
    );
    return analyse(systemOf({ kind: 'parts', capabilities })).summary.explanation;
  };
  assert.match(partsOf([['a', 'b']]), /no more clearly than chance .*modularity 0\.00/);
  const clique = (...names: string[]): [string, string][] =>
    names.flatMap((from, at) => names.slice(at + 1).map((to): [string, string] => [from, to]));
  const two = [...clique('a', 'b', 'c', 'd', 'e', 'f'), ...clique('u', 'v', 'w', 'x', 'y', 'z')];
  assert.match(partsOf([...two, ['a', 'z']]), /falls into groups by itself/);
});

describe('the five-capability shop', () => {
  const report = analyse(five);

  test('is five services: they share no data and no team, and a call is what services have interfaces for', () => {
    assert.equal(report.summary.services, 5);
    assert.match(report.summary.explanation, /only what is coupled by more than 0\.35 is joined/);
    // Five of ten pairs depend on each other: 0.4 * 0.8 each.
    assert.equal(report.summary.coupledPairs, 5);
    assert.ok(Math.abs(report.summary.meanCoupling - 0.16) < 1e-12);
  });

  test('joining more is shown with what it saves', () => {
    const counts = report.alternatives.map(({ services }) => services.length);
    assert.ok(counts.includes(1) && counts.includes(2) && counts.includes(5), counts.join());
    const [whole] = report.alternatives;
    assert.equal(whole?.crossing, 0);
    assert.equal(whole?.remoteCallsAddedPerRequest, 0);
    // Three of five depend on others: 3 + 1 + 1 calls in three use cases.
    assert.ok(Math.abs(report.price.remoteCallsAddedPerRequest - 5 / 3) < 1e-12);
  });

  test('every entity has one owner, every operation its path and consumers', () => {
    assert.equal(report.ownership.length, 15);
    assert.ok(report.ownership.every(({ conflict }) => !conflict));
    const users = report.services.find(({ name }) => name === 'user-management');
    assert.deepEqual(users?.owns, ['Authentication', 'Profile', 'User']);
    assert.deepEqual(users?.contracts[0], {
      operation: 'create_user',
      path: '/user-management/create_user',
      consumers: ['notification-service', 'order-processing', 'payment-processing'],
    });
    assert.equal(users?.cohesion, undefined);
    assert.equal(users?.coupling, 1);
  });

  test('is asked for in two services, and says why which are together', () => {
    const two = analyse(five, { services: 2 });
    assert.equal(two.services.length, 2);
    for (const { strongest, cohesion } of two.services) {
      assert.ok((cohesion ?? 0) > 0);
      assert.match(strongest[0]?.because[0] ?? '', /^functional 0\.80: \w+ depends on \w+$/);
    }
  });

  test('one team in each is a constraint that can be asked for', () => {
    const constraints = { ...unconstrained, oneTeamPerService: true };
    assert.equal(analyse({ ...five, constraints }, { services: 2 }).services.length, 5);
  });
});

describe('the literal rule', () => {
  const literal = literalRule(five.capabilities);

  test('answers what it always answered', () => {
    assert.deepEqual(
      literal.services.map(({ name, capabilities, couplingScore }) => [name, capabilities, couplingScore]),
      [
        ['user-management-service', ['user_management', 'product_catalog'], 3.5],
        ['order-processing-service', ['order_processing', 'notification_service'], 3.5],
        ['payment-processing-service', ['payment_processing'], 6],
      ],
    );
    // Five pairs of 0.48 and five of 0.16.
    assert.ok(Math.abs(literal.summary.averageCoupling - 0.32) < 1e-12);
    assert.equal(literal.recommendations.length, 1);
  });

  test('says why it is wrong, and shows it: another order, other services', () => {
    assert.ok(literal.faults.length >= 5);
    const turned = literalRule(five.capabilities.toReversed());
    const groups = (report: typeof literal): string[] =>
      report.services.map(({ capabilities }) => capabilities.toSorted().join()).sort();
    assert.notDeepEqual(groups(turned), groups(literal));
  });
});

test('one owner for each entity: who writes it most; who else writes it is named', () => {
  const capabilities = [
    capabilityOf({ name: 'a1', entities: writes('X') }),
    capabilityOf({ name: 'a2', entities: writes('X') }),
    capabilityOf({ name: 'b1', entities: [...writes('X'), { entity: 'Y', access: 'read' }] }),
    capabilityOf({ name: 'c1', entities: [{ entity: 'X', access: 'read' }] }),
  ];
  const [x, y] = ownersOf(capabilities, ({ name }) => name.charAt(0));
  assert.deepEqual([x?.owner, x?.writers, x?.readers, x?.conflict], ['a', ['a', 'b'], ['c'], true]);
  assert.equal(x?.evidence, 'written by a1 (a), a2 (a), b1 (b)');
  assert.deepEqual([y?.owner, y?.writers, y?.conflict], ['b', [], false]);
});

test('the price: calls that become remote, transactions that become sagas', () => {
  const capabilities = [
    capabilityOf({ name: 'order', entities: writes('orders'), service: 'monolith' }),
    capabilityOf({ name: 'stock', entities: writes('stock'), service: 'monolith' }),
    capabilityOf({ name: 'look', service: 'monolith' }),
  ];
  const buy = {
    name: 'buy',
    rate: 1,
    capabilities: [],
    reads: [],
    writes: ['orders', 'stock'],
    calls: [{ from: 'order', to: 'stock', count: 2 }],
  };
  const browse = { name: 'browse', rate: 3, capabilities: ['look'], reads: ['stock'], writes: [], calls: [] };
  const system = systemOf({ capabilities, useCases: [buy, browse] });
  const owners: Record<string, string> = { orders: 'order', stock: 'stock' };
  const price = priceOf(
    system,
    (name) => name,
    (entity) => owners[entity],
  );
  // Two calls more in one of four requests.
  assert.equal(price.remoteCallsAddedPerRequest, 0.5);
  assert.deepEqual(price.sagas, ['buy']);
  assert.deepEqual(price.useCases[0]?.writesIn, ['order', 'stock']);
  const split = capabilities.map((each) => ({ ...each, service: each.name }));
  const today = priceOf(
    { ...system, capabilities: split },
    (name) => name,
    (entity) => owners[entity],
  );
  assert.equal(today.remoteCallsAddedPerRequest, 0);
  assert.deepEqual(today.sagas, []);
});

test('recommendations name what they are made from', () => {
  const report = analyse(
    systemOf({
      capabilities: [
        capabilityOf({ name: 'a', entities: writes('X', 'A'), dependencies: needs('b') }),
        capabilityOf({ name: 'b', entities: writes('X', 'B', 'C', 'D', 'E'), dependencies: needs('a') }),
      ],
      constraints: { ...unconstrained, cannotLink: [['a', 'b']] },
    }),
  );
  const kinds = report.recommendations.map(({ kind }) => kind);
  assert.deepEqual(kinds, ['ownership', 'cycle', 'strong-bond-cut']);
  assert.match(report.recommendations[0]?.reason ?? '', /2 services write it: written by a \(a\), b \(b\)/);
});

test('names become no markup', () => {
  const evil = systemOf({
    name: '<img src=x>',
    capabilities: [capabilityOf({ name: '<b>|`*' }), capabilityOf({ name: '"&' })],
  });
  const report = analyse(evil);
  const page = reportPage(report);
  assert.ok(!page.includes('<img') && !page.includes('<b>|'));
  assert.ok(!/<script/i.test(page) && !/https?:\/\//.test(page));
  assert.ok(reportMarkdown(report).includes('\\<b\\>\\|\\`\\*'));
  assert.deepEqual(JSON.parse(JSON.stringify(report)), JSON.parse(JSON.stringify(analyse(evil))));
});
