import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { layout, type Placed } from './layout.ts';
import { type Edge, readableNodes, visible } from './visible.ts';

const names = fc
  .array(
    fc.integer({ min: 0, max: 30 }).map((id) => `s${id}`),
    { maxLength: 30 },
  )
  .map((all) => [...new Set(all)]);
const graph = names.chain((nodes) =>
  fc.record({
    nodes: fc.constant(nodes),
    edges:
      nodes.length === 0
        ? fc.constant([])
        : fc.array(fc.record({ from: fc.constantFrom(...nodes), to: fc.constantFrom(...nodes) }), {
            maxLength: 80,
          }),
  }),
);

test('every node has a place of its own, whatever the calls, and the same graph the same places', () => {
  fc.assert(
    fc.property(graph, ({ nodes, edges }) => {
      const placed = layout(nodes, edges);
      assert.deepEqual(placed.map(({ id }) => id).toSorted(), nodes.toSorted());
      assert.equal(new Set(placed.map(({ column, row }) => `${column} ${row}`)).size, nodes.length);
      assert.deepEqual(layout(nodes.toReversed(), edges), placed);
    }),
  );
});

test('calls without cycles go from left to right', () => {
  fc.assert(
    fc.property(graph, ({ nodes, edges }) => {
      const forward = edges.filter(({ from, to }) => from < to);
      const columns = new Map(layout(nodes, forward).map(({ id, column }) => [id, column]));
      for (const { from, to } of forward)
        assert.ok((columns.get(from) as number) < (columns.get(to) as number));
    }),
  );
});

test('a refresh of the same graph moves nothing', () => {
  fc.assert(
    fc.property(graph, ({ nodes, edges }) => {
      const first = layout(nodes, edges);
      const before = new Map<string, Placed>(first.map((each) => [each.id, each]));
      assert.deepEqual(layout(nodes, edges, before), first);
    }),
  );
});

function edge(client: string, server: string, calls = 1): Edge {
  return { client, server, calls, perSecond: calls / 10, errorShare: 0, p50Ms: 1, p95Ms: 2, p99Ms: 3 };
}

test('no more nodes than can be read, the busiest first, and how many are hidden is said', () => {
  const all = Array.from({ length: 200 }, (_, at) => edge('front', `svc-${at}`, at + 1));
  const { nodes, hidden } = visible(all, { hops: 1, most: readableNodes });
  assert.equal(nodes.length, readableNodes);
  assert.equal(hidden, 201 - readableNodes);
  assert.ok(nodes.includes('svc-199') && !nodes.includes('svc-0'));
});

test('the filter comes before the limit, and brings the neighbours along', () => {
  const all = Array.from({ length: 200 }, (_, at) => edge('front', `svc-${at}`, at + 1));
  const { nodes } = visible(all, { hops: 1, most: 10, text: 'svc-0' });
  assert.deepEqual(nodes, ['front', 'svc-0']);
});

test('focus shows what is within the hops, grouping adds up', () => {
  const chain = [edge('a', 'b'), edge('b', 'c'), edge('c', 'd'), edge('x', 'y')];
  assert.deepEqual(visible(chain, { focus: 'b', hops: 1, most: 60 }).nodes, ['a', 'b', 'c']);
  assert.deepEqual(visible(chain, { focus: 'b', hops: 2, most: 60 }).nodes, ['a', 'b', 'c', 'd']);
  const shop = [edge('shop-a', 'db-1', 3), edge('shop-b', 'db-2', 1), edge('shop-a', 'shop-b', 9)];
  const { edges } = visible(shop, { hops: 1, most: 60, grouped: true });
  assert.deepEqual(
    edges.map(({ client, server, calls }) => [client, server, calls]),
    [['shop', 'db', 4]],
  );
});
