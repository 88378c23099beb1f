import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Change } from './change-log.ts';
import { type LeaseInput, type LeaseTable, leaseTable, step } from './lease-table.ts';
import { instance } from './validate-instance.ts';

// Few services, ids and leases, so that they meet; times that straddle the TTLs.
const services = fc.constantFrom('s', 't');
const ids = fc.constantFrom('a', 'b', 'c');
const leases = fc.constantFrom('L1', 'L2');
const moves = fc.oneof(
  fc.record({
    kind: fc.constant('register' as const),
    instance: fc
      .record({ service: services, id: ids, weight: fc.nat(2) })
      .map((part) => instance({ ...part, address: 'h', port: 1 })),
    lease: leases,
    ttlMs: fc.constantFrom(1000, 3000),
    fresh: fc.boolean(),
    wallMs: fc.constant(0),
  }),
  fc.record({
    kind: fc.constant('renew' as const),
    service: services,
    id: ids,
    lease: leases,
    health: fc.constantFrom(undefined, 'passing' as const, 'critical' as const),
    wallMs: fc.constant(0),
  }),
  fc.record({
    kind: fc.constant('deregister' as const),
    service: services,
    id: ids,
    lease: fc.option(leases, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('expire' as const) }),
);
const histories = fc.array(fc.tuple(fc.nat(1500), moves), { maxLength: 60 });

/** The plainest thing that can be right: what each instance's lease is and when it was last granted. */
type Model = Map<string, { lease: string; ttlMs: number; grantedAtMs: number }>;

function play(
  table: LeaseTable,
  history: readonly (readonly [number, LeaseInput])[],
): { changes: Change[]; model: Model; nowMs: number } {
  const changes: Change[] = [];
  const model: Model = new Map();
  let nowMs = 0;
  for (const [laterMs, input] of history) {
    nowMs += laterMs;
    const { effects } = step(table, input, nowMs);
    for (const effect of effects) {
      if (effect.kind === 'changed') {
        changes.push(effect.change);
        if (effect.leased === undefined) model.delete(`${effect.change.service}/${effect.change.id}`);
      }
      if (effect.kind === 'granted' && input.kind !== 'expire') grant(model, input, nowMs);
    }
  }
  return { changes, model, nowMs };
}

function grant(model: Model, input: Exclude<LeaseInput, { kind: 'expire' }>, nowMs: number): void {
  if (input.kind === 'register') {
    const { service, id } = input.instance;
    model.set(`${service}/${id}`, { lease: input.lease, ttlMs: input.ttlMs, grantedAtMs: nowMs });
  } else if (input.kind === 'renew') {
    const held = model.get(`${input.service}/${input.id}`);
    assert.equal(held?.lease, input.lease, 'a renewal was granted to one who does not hold the lease');
    held.grantedAtMs = nowMs;
  }
}

function content(table: LeaseTable): Map<string, unknown> {
  const held = table.services().flatMap((service) => table.held(service));
  return new Map(held.map(({ instance: at }) => [`${at.service}/${at.id}`, at]));
}

function replay(start: Map<string, unknown>, changes: readonly Change[]): Map<string, unknown> {
  const at = new Map(start);
  for (const change of changes) {
    if (change.instance === undefined) at.delete(`${change.service}/${change.id}`);
    else at.set(`${change.service}/${change.id}`, change.instance);
  }
  return at;
}

test('revisions are consecutive, and the changes are the whole truth', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const table = leaseTable();
      const { changes } = play(table, history);
      assert.deepEqual(
        changes.map(({ revision }) => revision),
        changes.map((_, at) => at + 1),
      );
      assert.equal(table.revision, changes.length);
      assert.deepEqual(replay(new Map(), changes), content(table));
      assert.equal(table.size, content(table).size);
    }),
  );
});

test('a watcher from any revision gets to the same state, or is told to take a snapshot', () => {
  fc.assert(
    fc.property(histories, fc.nat(60), fc.nat(8), (history, from, historyLength) => {
      const table = leaseTable({ historyLength });
      const { changes } = play(table, history);
      const start = replay(new Map(), changes.slice(0, from));
      const missed = ['s', 't'].map((service) => table.changesSince(service, from));
      if (missed.some((part) => part === undefined)) {
        assert.ok(changes.length - from > historyLength, 'compacted too early');
        return;
      }
      assert.deepEqual(
        replay(
          start,
          missed.flatMap((part) => part ?? []),
        ),
        content(table),
      );
    }),
  );
});

test('a lease lasts its TTL from the last grant, and not beyond the next look', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const table = leaseTable();
      const { model, nowMs } = play(table, history);
      step(table, { kind: 'expire' }, nowMs);
      const live = [...model].filter(([, { grantedAtMs, ttlMs }]) => grantedAtMs + ttlMs > nowMs);
      assert.deepEqual([...content(table).keys()].toSorted(), live.map(([key]) => key).toSorted());
    }),
  );
});

test('whoever registered fresh last, and has kept it up, holds the id', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const table = leaseTable();
      const { model } = play(table, history);
      for (const service of table.services()) {
        for (const held of table.held(service))
          assert.equal(held.lease, model.get(`${service}/${held.instance.id}`)?.lease);
      }
    }),
  );
});

test('a wave of lapses beyond the share evicts nobody, whatever its shape', () => {
  const fleet = fc.record({
    count: fc.integer({ min: 20, max: 60 }),
    silent: fc.integer({ min: 0, max: 60 }),
  });
  fc.assert(
    fc.property(fleet, ({ count, silent }) => {
      const table = leaseTable();
      const at = (id: number): LeaseInput => {
        const made = instance({ service: 's', id: `i${id}`, address: 'h', port: 1 });
        return { kind: 'register', instance: made, lease: 'L', ttlMs: 3000, fresh: true, wallMs: 0 };
      };
      for (let id = 0; id < count; id++) step(table, at(id), 0);
      for (let id = silent; id < count; id++) {
        step(
          table,
          { kind: 'renew', service: 's', id: `i${id}`, lease: 'L', health: undefined, wallMs: 0 },
          2000,
        );
      }
      step(table, { kind: 'expire' }, 3000);
      const lapsed = Math.min(silent, count);
      const isWave = lapsed >= 10 && lapsed > 0.15 * count;
      assert.equal(table.preserving, isWave);
      assert.equal(table.size, isWave ? count : count - lapsed);
    }),
  );
});
