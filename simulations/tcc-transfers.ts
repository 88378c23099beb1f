import type { SagaDefinition } from '@heddle/data/saga';
import { tcc, type TccRequest, type TccService } from '@heddle/data/tcc';
import type { Scenario } from '@heddle/sim';
import type { LedgerAccount } from './stage/ledger-account.ts';
import { type Accounts, type Move, type PlantedWeather, playTransfers } from './stage/transfers.ts';

/** Reservations whose coordinators are killed at every durable write. */
export function tccTransfers(planted: PlantedWeather = {}): Scenario {
  return {
    name: 'tcc-transfers',
    summary: 'reservations of money, whose coordinators are killed at every durable write and cut off',
    run: (world) => playTransfers(world, definitionFor, planted),
  };
}

function definitionFor({ from, to, send }: Accounts): SagaDefinition<Move, unknown> {
  const patient = { backoff: { baseMs: 20, maxMs: 200 }, timeoutMs: 500 };
  const branch = (
    account: LedgerAccount,
    changes: Changes,
  ): { readonly service: TccService } & typeof patient => ({
    ...patient,
    service: async ({ op, tx, payload }) => {
      const [free, held] = changes[op];
      const { amount } = payload as Move;
      await send(() => account.tell(tx, op, () => account.move(free * amount, held * amount)));
      return { done: true };
    },
  });
  return tcc<Move>('transfer', { reserveMs: 5000 })
    .branch('from', branch(from, { try: [-1, 1], confirm: [0, -1], cancel: [1, -1] }))
    .branch('to', branch(to, { try: [0, 1], confirm: [1, -1], cancel: [0, -1] }))
    .build();
}

type Changes = Readonly<Record<TccRequest['op'], readonly [free: number, held: number]>>;

export const scenario: Scenario = tccTransfers();
