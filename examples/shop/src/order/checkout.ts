import type { Call, Part, Runtime } from '@heddle/kernel';
import { HeddleError } from '@heddle/kernel';
import {
  type AnySaga,
  saga,
  SagaEngine,
  type SagaBuilder,
  type SagaDefinition,
  type SagaMeasures,
} from '@heddle/data/saga';
import { tcc, type TccService } from '@heddle/data/tcc';
import {
  PostgresParticipant,
  RpcParticipant,
  SqlDecisionLog,
  TxCoordinator,
  type TxService,
} from '@heddle/data/twophase';
import type { SqlPool } from '@heddle/sql';
import type { CheckoutKind } from '../config.ts';
import type { Partners } from './fulfilment.ts';
import { evolve, type Order, type OrderEvent, type OrderRequest, type Pricing, totalMinor } from './order.ts';
import { findOrder, placeOrder, saveOrder } from './order-store.ts';

/** The services that an order is taken from in one transaction. */
export type Branch = 'inventory' | 'payment' | 'shipping';

/** What checkouts are made from. */
export interface CheckoutOptions {
  readonly runtime: Runtime;
  readonly pool: SqlPool;
  /** Of the same database. */
  readonly url: string;
  readonly kind: Exclude<CheckoutKind, 'steps'>;
  readonly partners: Partners;
  readonly branches: Readonly<Record<Branch, { readonly tcc: TccService; readonly twoPhase: TxService }>>;
  /** How old an order may get before it is called off instead. Default 60000. */
  readonly giveUpMs?: number;
  /** See `SagaEngine`. */
  readonly leaseMs?: number;
  readonly pollMs?: number;
  readonly measures?: SagaMeasures;
}

/** What a branch is told about an order. */
export interface BranchPayload {
  readonly orderId: string;
  readonly request: OrderRequest;
  readonly pricing: Pricing;
}

interface Placed {
  readonly orderId: string;
}

const backoff = { baseMs: 50, maxMs: 2000 };
const persistent = { attempts: 10_000, undoAttempts: 10_000, backoff } as const;

/**
 * Orders as sagas: what happened to one is known after any crash, and any instance goes on with it. Which saga depends on
 * `kind`; those that are under way keep theirs, so all are known to every instance.
 */
export class Checkout {
  readonly parts: readonly Part[];
  readonly engine: SagaEngine;
  readonly coordinator: TxCoordinator | undefined;
  readonly #options: CheckoutOptions;
  readonly #definition: SagaDefinition<Placed, unknown>;
  readonly #letter: SagaDefinition<Placed, unknown>;

  constructor(options: CheckoutOptions) {
    this.#options = options;
    const { runtime, pool, url, kind, leaseMs, pollMs = 500, measures } = options;
    this.#letter = this.#letterSaga();
    const reservations = this.#tccSaga();
    const twoPhase = kind === '2pc' ? this.#twoPhase() : undefined;
    this.coordinator = twoPhase?.coordinator;
    const definitions: Partial<Record<CheckoutKind, SagaDefinition<Placed, unknown>>> = {
      saga: this.#stepsSaga(),
      tcc: this.#viaTcc(reservations),
      ...(twoPhase !== undefined && { '2pc': twoPhase.definition }),
    };
    this.#definition = definitions[kind] as SagaDefinition<Placed, unknown>;
    const known: AnySaga[] = [this.#letter, reservations, ...Object.values(definitions)];
    this.engine = new SagaEngine({
      runtime,
      pool,
      url,
      definitions: known,
      pollMs,
      ...(leaseMs !== undefined && { leaseMs }),
      ...(measures !== undefined && { measures }),
    });
    this.parts = [...(this.coordinator === undefined ? [] : [this.coordinator]), this.engine];
  }

  /**
   * Places the order, and its saga with it, and waits until it is confirmed or rejected. Rejects with `unavailable` /
   * `ORDER_UNDER_WAY` when that takes too long: it goes on, and asking again with the same key waits for it.
   */
  async place(request: OrderRequest, key: string | undefined, call: Call): Promise<Order> {
    const { runtime, pool } = this.#options;
    const orderId = `o-${runtime.random.uuid()}`;
    const order = await pool.transaction(async (sql) => {
      const found = await placeOrder(sql, orderId, request, key);
      if (found.orderId === orderId)
        await this.engine.beginIn(sql, this.#definition, { orderId }, { id: orderId, call });
      return found;
    });
    this.engine.wake();
    try {
      await this.engine.outcome(order.orderId, call.child(runtime.clock.nowMs() + call.remainingMs() * 0.8));
    } catch (thrown) {
      if (HeddleError.from(thrown).code !== 'deadline_exceeded') throw thrown;
    }
    const reached = await findOrder(pool, order.orderId);
    if (reached.state === 'confirmed' || reached.state === 'rejected') return reached;
    const message = `order ${order.orderId} is under way; ask again with the same idempotency-key`;
    throw new HeddleError({ code: 'unavailable', reason: 'ORDER_UNDER_WAY', message });
  }

  /** Opens the order: the last thing that is undone is its rejection. Then it is priced. */
  #opened(name: string, limits: { readonly timeoutMs?: number } = this.#limits): SagaBuilder<Placed, object> {
    const { pool, partners } = this.#options;
    return saga<Placed>(name, limits)
      .step('open', {
        run: async () => null,
        undo: async ({ input, failure }) => {
          const reason =
            failure?.reason === 'SAGA_TIMEOUT' ? 'TOOK_TOO_LONG' : (failure?.reason ?? 'CALLED_OFF');
          await record(pool, input.orderId, { kind: 'refused', reason }, { kind: 'undone' });
        },
        ...persistent,
      })
      .step('price', {
        run: async ({ input, call }) => {
          const pricing = await partners.price(await findOrder(pool, input.orderId), call);
          await record(pool, input.orderId, { kind: 'priced', pricing });
          return null;
        },
        ...persistent,
        attempts: 60,
      });
  }

  get #limits(): { readonly timeoutMs: number } {
    return { timeoutMs: this.#options.giveUpMs ?? 60_000 };
  }

  #stepsSaga(): SagaDefinition<Placed, unknown> {
    const { pool, partners } = this.#options;
    const order = (input: Placed): Promise<Order> => findOrder(pool, input.orderId);
    return this.#opened('checkout-saga')
      .step('reserve', {
        run: async ({ input, call }) => {
          await partners.reserve(await order(input), call);
          await record(pool, input.orderId, { kind: 'reserved' });
          return null;
        },
        undo: async ({ input, call }) => partners.release(await order(input), call),
        ...persistent,
      })
      .step('charge', {
        run: async ({ input, call }) => {
          const found = await order(input);
          const paymentId = await partners.charge(found, pricingOf(found), call);
          await record(pool, input.orderId, { kind: 'charged', paymentId });
          return null;
        },
        undo: async ({ input, call }) => partners.refund(await order(input), call),
        ...persistent,
      })
      .step('ship', {
        run: async ({ input, call }) => {
          const found = await order(input);
          const trackingCode = await partners.ship(found, pricingOf(found), call);
          await record(pool, input.orderId, { kind: 'shipped', trackingCode });
          return null;
        },
        undo: async ({ input, call }) => partners.cancelShipment(await order(input), call),
        pivot: true,
        ...persistent,
      })
      .step('tell', this.#tell())
      .build();
  }

  /** All three are reserved side by side, then all are confirmed. */
  #tccSaga(): SagaDefinition<BranchPayload, unknown> {
    const { branches } = this.#options;
    return Object.entries(branches)
      .reduce(
        (built, [name, { tcc: service }]) => built.branch(name, { service, backoff, attempts: 10_000 }),
        tcc<BranchPayload>('reservations', { reserveMs: this.#limits.timeoutMs }),
      )
      .build();
  }

  #viaTcc(reservations: SagaDefinition<BranchPayload, unknown>): SagaDefinition<Placed, unknown> {
    const { pool } = this.#options;
    // Its time is that of the reservations: once those are confirmed there is no way back here either.
    return this.#opened('checkout-tcc', {})
      .step('payload', {
        run: async ({ input }) => payloadOf(await findOrder(pool, input.orderId)),
        ...persistent,
      })
      .saga('reservations', reservations, { input: ({ results }) => results.payload, pivot: true })
      .step('confirm', this.#confirm())
      .step('tell', this.#tell())
      .build();
  }

  /** The order itself is one of the participants: it is confirmed with all the others, or not at all. */
  #twoPhase(): { readonly coordinator: TxCoordinator; readonly definition: SagaDefinition<Placed, unknown> } {
    const { runtime, pool, branches, partners } = this.#options;
    // The shelf last: many orders want the same one, and wait for whoever has it.
    const remote = (['payment', 'shipping', 'inventory'] as const).map((name) => {
      const { twoPhase: service } = branches[name];
      return new RpcParticipant<BranchPayload>({ runtime, name, service, timeoutMs: 10_000, attempts: 4 });
    });
    const own = new PostgresParticipant({ name: 'orders', pool });
    const log = new SqlDecisionLog(pool);
    // Few at a time: most want the same shelf, and whoever waits for it only keeps others from theirs.
    const participants = [...remote, own];
    const coordinator = new TxCoordinator({ runtime, log, participants, mostAtOnce: 5 });
    const definition = this.#opened('checkout-2pc')
      .step('commit', {
        run: async ({ input, call }) => {
          const order = await findOrder(pool, input.orderId);
          if (order.state !== 'priced') return null;
          await coordinator.run(async (tx) => {
            await tx.join(
              own.branch(async (sql) => {
                await sql.execute("SET LOCAL lock_timeout = '3s'");
                if (!(await saveOrder(sql, evolve(order, { kind: 'reserved' })))) throw changed(order);
              }),
            );
            for (const each of remote) await tx.join(each.branch(payloadOf(order)));
          }, call);
          return null;
        },
        // What is in doubt when it is given up may be there.
        undo: async ({ input, call }) => partners.undo(await findOrder(pool, input.orderId), call),
        pivot: true,
        // Many may have to wait for their turn at the coordinator.
        timeoutMs: 30_000,
        ...persistent,
      })
      .step('confirm', this.#confirm())
      .step('tell', this.#tell())
      .build();
    return { coordinator, definition };
  }

  /** What the partners have done is read from them: asked again, they answer with what there is. */
  #confirm(): Parameters<SagaBuilder<Placed, object>['step']>[1] {
    const { pool, partners } = this.#options;
    return {
      run: async ({ input, call }) => {
        const order = await findOrder(pool, input.orderId);
        const pricing = pricingOf(order);
        const paymentId = await partners.charge(order, pricing, call);
        const trackingCode = await partners.ship(order, pricing, call);
        await record(
          pool,
          input.orderId,
          { kind: 'reserved' },
          { kind: 'charged', paymentId },
          { kind: 'shipped', trackingCode },
        );
        return null;
      },
      ...persistent,
    };
  }

  /** The customer's letter has all the time that it needs, and nobody waits for it. */
  #tell(): Parameters<SagaBuilder<Placed, object>['step']>[1] {
    return {
      run: async ({ input, key, call, engine }) => {
        await engine.begin(this.#letter, input, { id: key, call });
        return null;
      },
      ...persistent,
    };
  }

  #letterSaga(): SagaDefinition<Placed, unknown> {
    const { pool, partners } = this.#options;
    return saga<Placed>('letter')
      .step('send', {
        run: async ({ input, call }) => {
          const order = await findOrder(pool, input.orderId);
          await partners.notify(order, pricingOf(order), call);
          await record(pool, input.orderId, { kind: 'notified' });
          return null;
        },
        ...persistent,
      })
      .build();
  }
}

/** Writes down what has happened; what the order knows already is left out, as a step may run again. */
async function record(pool: SqlPool, orderId: string, ...events: readonly OrderEvent[]): Promise<void> {
  for (const event of events) {
    for (let written = false; !written; ) {
      const order = await findOrder(pool, orderId);
      try {
        written = await saveOrder(pool, evolve(order, event));
      } catch (thrown) {
        if (HeddleError.from(thrown).reason !== 'OUT_OF_TURN') throw thrown;
        written = true;
      }
    }
  }
}

/** What the branch of payment is to charge. */
export function chargeOf({ orderId, request, pricing }: BranchPayload): {
  readonly orderId: string;
  readonly userId: string;
  readonly method: string;
  readonly currency: string;
  readonly amountMinor: number;
} {
  const { userId, method } = request;
  return { orderId, userId, method, currency: pricing.currency, amountMinor: totalMinor(pricing) };
}

function payloadOf(order: Order): BranchPayload {
  return { orderId: order.orderId, request: order.request, pricing: pricingOf(order) };
}

function pricingOf(order: Order): Pricing {
  if (order.pricing !== undefined) return order.pricing;
  const message = `order ${order.orderId} is ${order.state} but has no prices`;
  throw new HeddleError({ code: 'data_loss', reason: 'ORDER_WITHOUT_PRICES', message });
}

function changed({ orderId }: Order): HeddleError {
  const message = `order ${orderId} has changed meanwhile`;
  return new HeddleError({ code: 'aborted', reason: 'ORDER_CHANGED', message });
}
