import type { Part, Runtime } from '@heddle/kernel';
import type { RpcRouter } from '@heddle/rpc';
import { within } from '@heddle/rpc';
import { prepareBarrier } from '@heddle/data/barrier';
import { type TccRequest, type TccService, tccService } from '@heddle/data/tcc';
import { type KnownDecision, TxEndpoint, type TxRequest, type TxService } from '@heddle/data/twophase';
import type { Sql, SqlPool } from '@heddle/sql';
import type { CheckoutKind } from './config.ts';
import { invalid } from './fields.ts';
import { CoordinatorService, ParticipantService } from './gen/shop/tx/v1/tx_pb.ts';
import type { ServiceName, Surroundings } from './service.ts';

/** What a service does for an order in a transaction of several services, and how it takes that back. */
export interface Work<Payload> {
  readonly take: (sql: Sql, payload: Payload) => Promise<unknown>;
  readonly giveBack: (sql: Sql, payload: Payload) => Promise<unknown>;
}

/** A service's side of the checkouts that are transactions: what it serves, and what runs as long as it does. */
export interface Participation {
  readonly services: { readonly tcc: TccService; readonly twoPhase: TxService };
  readonly rpc: (router: RpcRouter) => void;
  readonly parts: readonly Part[];
}

/**
 * Lets a service take part. What is taken needs no second step to be confirmed: in this shop reserved goods are sold, and
 * a charged card has paid, once nobody cancels them.
 */
export function participation<Payload>(
  name: ServiceName,
  { runtime, pool, rpc, config }: Pick<Surroundings, 'runtime' | 'pool' | 'rpc' | 'config'>,
  work: Work<Payload>,
): Participation {
  const coordinator = rpc('order', CoordinatorService);
  const ask = async (tx: string, call: Parameters<typeof within>[0]): Promise<KnownDecision> => {
    const { decision } = await coordinator.getDecision({ tx }, within(call));
    return oneOf(decision, ['commit', 'abort', 'undecided'] as const, 'decision');
  };
  return participationOf(name, { runtime, pool, checkout: config.checkout }, work, ask);
}

/** The same, with any way to ask the coordinator. */
export function participationOf<Payload>(
  name: ServiceName,
  { runtime, pool, checkout }: { runtime: Runtime; pool: SqlPool; checkout: CheckoutKind },
  { take, giveBack }: Work<Payload>,
  ask: ConstructorParameters<typeof TxEndpoint>[0]['ask'],
): Participation {
  const tcc = tccService<Payload>({
    pool,
    reserve: take,
    confirm: () => Promise.resolve(),
    cancel: giveBack,
  });
  const endpoint = new TxEndpoint<Payload>({ runtime, name, pool, prepare: take, ask });
  const barrier: Part = {
    name: 'barrier',
    start: () => prepareBarrier(pool),
    stop: () => Promise.resolve(),
  };
  return {
    services: { tcc, twoPhase: endpoint.service },
    rpc: (router) =>
      router.service(ParticipantService, {
        tcc: ({ op, tx, branch, payload }, call) => tcc(tccRequest(op, tx, branch, payload), call),
        twoPhase: async ({ op, tx, branch, payload }, call) => {
          const { result } = await endpoint.service(txRequest(op, tx, branch, payload), call);
          return { result: JSON.stringify(result ?? null) };
        },
      }),
    // Its start refuses a database without prepared transactions, which only this checkout needs.
    parts: checkout === '2pc' ? [barrier, endpoint] : [barrier],
  };
}

function tccRequest(op: string, tx: string, branch: string, payload: string): TccRequest {
  return {
    op: oneOf(op, ['try', 'confirm', 'cancel'] as const, 'op'),
    tx,
    branch,
    payload: JSON.parse(payload) as unknown,
  };
}

function txRequest(op: string, tx: string, branch: string, payload: string): TxRequest {
  const known = oneOf(op, ['prepare', 'commit', 'abort'] as const, 'op');
  if (known !== 'prepare') return { op: known, tx, branch };
  return { op: known, tx, branch, payload: JSON.parse(payload) as unknown };
}

function oneOf<Text extends string>(text: string, known: readonly Text[], field: string): Text {
  const found = known.find((each) => each === text);
  if (found === undefined) throw invalid(`${field} must be ${known.join(' or ')}`);
  return found;
}
