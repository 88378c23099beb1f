// The shop itself: from traces of its real processes the analyser must find the boundaries of today, and a planted drift.
import assert from 'node:assert/strict';
import {
  adjustedRand,
  analyse,
  driftOf,
  planOfToday,
  readOtlp,
  type System,
  systemOfTraces,
} from '@heddle/boundaries';
import { type Contract, resultOf } from '../../result.ts';
import { type RecordedShop, withRecordedShop } from './recorded-shop.ts';

const backend = 'shop';

/** The shop as it is, and then with an order service that writes the payment service's table. */
export const shop: Contract = {
  backend,
  run: async () => {
    const [first, second] = await withRecordedShop(async (open) => {
      await visit(open);
      const before = open.recorded();
      await open.letOrderDrift();
      await visit(open);
      return [before, open.recorded().slice(before.length)] as const;
    });
    const [today, drifting] = [systemOf(first), systemOf(second)];
    const plan = planOfToday(today);
    const check = (what: string, run: () => void): ReturnType<typeof resultOf> =>
      resultOf(backend, '', what, async () => run());
    return Promise.all([
      check('all seven services are seen, each with its own tables', () => {
        assert.equal(plan.services.length, 7);
        for (const { name, owns } of plan.services) {
          assert.ok(
            owns.length > 0 && owns.every((entity) => entity.startsWith(`shop_${name}.`)),
            `${name}: ${owns.join()}`,
          );
        }
      }),
      check('the boundaries of today are found', () => assert.equal(agreement(today), 1)),
      check('and without looking at which process did what', () => {
        const weights = { ...today.weights, spatial: 0 };
        const ari = agreement({ ...today, weights });
        assert.ok(ari >= 0.8, `ARI ${ari}`);
      }),
      check('the shop as it is has not drifted', () => {
        assert.deepEqual(driftOf(plan, today), []);
      }),
      check('a service that writes another one’s table is reported', () => {
        const errors = driftOf(plan, drifting).filter(({ severity }) => severity === 'error');
        assert.deepEqual(
          errors.map(({ kind, service, subject }) => [kind, service, subject]),
          [['foreign-write', 'order', 'shop_payment.payments']],
        );
        assert.match(errors[0]?.evidence.join() ?? '', /order: POST \/orders writes shop_payment\.payments/);
      }),
    ]);
  },
};

function systemOf(lines: readonly unknown[]): System {
  const spans = readOtlp(lines);
  if (!spans.ok) throw new Error(JSON.stringify(spans.problems));
  return systemOfTraces(spans.value);
}

/** The adjusted Rand index of the proposal against the services that run. */
function agreement(system: System): number {
  const { services } = analyse(system);
  const home = new Map(
    services.flatMap(({ name, capabilities }) => capabilities.map((each) => [each, name] as const)),
  );
  const found = system.capabilities.map(({ name }) => home.get(name) ?? '');
  return adjustedRand(
    found,
    system.capabilities.map(({ service }) => service ?? ''),
  );
}

/** What customers do: look around, order, look at what has become of it; one has a card that is declined. */
async function visit(open: RecordedShop): Promise<void> {
  const address = { street: 'Long Street 1', postcode: '12345', city: 'Anywhere', country: 'DE' };
  await open.ask('user', 'POST', '/users', { name: 'A. Person', email: 'a.person@example.com', address });
  await open.ask('user', 'GET', '/users/u00001');
  for (const product of ['p00001', 'p00002', 'p00003']) {
    await open.ask('product', 'GET', '/products?query=kettle&page=1&size=10');
    await open.ask('product', 'GET', `/products/${product}`);
    await open.ask('inventory', 'GET', `/stock/${product}`);
    const items = [{ productId: product, quantity: 1 }];
    const { orderId } = await open.ask('order', 'POST', '/orders', { userId: 'u00001', items });
    assert.equal(typeof orderId, 'string', 'an order is placed');
    await open.ask('order', 'GET', `/orders/${String(orderId)}`);
    await open.ask('payment', 'GET', `/payments/${String(orderId)}`);
    await open.ask('shipping', 'GET', `/shipments/${String(orderId)}`);
    await open.ask('notification', 'GET', `/notifications?orderId=${String(orderId)}`);
  }
  const items = [{ productId: 'p00004', quantity: 1 }];
  await open.ask('order', 'POST', '/orders', { userId: 'u00002', items, method: 'card-declined' });
}
