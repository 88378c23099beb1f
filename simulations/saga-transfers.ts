import { saga, type SagaDefinition } from '@heddle/data/saga';
import type { Scenario } from '@heddle/sim';
import { type Accounts, type Move, type PlantedWeather, playTransfers } from './stage/transfers.ts';

/** A bug to plant. */
export interface PlantedSaga extends PlantedWeather {
  /** A step is taken for undone that was not. */
  readonly compensationSkipped?: boolean;
}

/** Sagas whose processes are killed at every durable write. */
export function sagaTransfers(planted: PlantedSaga = {}): Scenario {
  return {
    name: 'saga-transfers',
    summary: 'sagas that move money, whose processes are killed at every durable write and cut off',
    run: (world) => playTransfers(world, (accounts) => definitionFor(accounts, planted), planted),
  };
}

function definitionFor({ from, to, send }: Accounts, planted: PlantedSaga): SagaDefinition<Move, unknown> {
  const patient = { backoff: { baseMs: 20, maxMs: 200 }, timeoutMs: 500, undoAttempts: 1000 };
  const undo = ({ id, input }: { readonly id: string; readonly input: Move }): Promise<void> =>
    planted.compensationSkipped === true
      ? Promise.resolve()
      : send(() => to.tell(id, 'undo', () => to.move(-input.amount, 0)));
  return saga<Move>('transfer')
    .step('give', {
      ...patient,
      run: ({ id, input }) => send(() => to.tell(id, 'run', () => to.move(input.amount, 0))),
      undo,
    })
    .step('take', {
      ...patient,
      run: ({ id, input }) => send(() => from.tell(id, 'run', () => from.move(-input.amount, 0))),
      undo: ({ id, input }) => send(() => from.tell(id, 'undo', () => from.move(input.amount, 0))),
    })
    .build();
}

export const scenario: Scenario = sagaTransfers();
