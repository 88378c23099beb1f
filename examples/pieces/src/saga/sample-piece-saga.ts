import { saga, type SagaDefinition } from '@heddle/data/saga';

/** What it is begun with. */
export interface SamplePieceInput {
  readonly item: string;
  readonly amount: number;
}

/**
 * What its steps do in other services. `key` is the same whenever a step is done again, since the process died in it or the
 * answer was lost: whoever does the work has to know a key that it has seen.
 */
export interface SamplePieceWork {
  reserve(item: string, amount: number, key: string): Promise<string>;
  release(reservation: string, key: string): Promise<void>;
  confirm(reservation: string, key: string): Promise<void>;
}

/** Reserves, then confirms; what was reserved is given back if it cannot be confirmed. */
export function samplePieceSaga(
  work: SamplePieceWork,
): SagaDefinition<SamplePieceInput, { readonly reserve: string; readonly confirm: void }> {
  return saga<SamplePieceInput>('sample-piece')
    .step('reserve', {
      run: ({ input, key }) => work.reserve(input.item, input.amount, key),
      // Undefined: it is not known whether anything was reserved.
      undo: async ({ result, key }) => {
        if (result !== undefined) await work.release(result, key);
      },
    })
    .step('confirm', { attempts: 3, run: ({ results, key }) => work.confirm(results.reserve, key) })
    .build();
}
