import { HeddleError } from '@heddle/kernel';

/** What an account is told. */
export type AccountOp = 'run' | 'undo' | 'try' | 'confirm' | 'cancel';

const origins: Partial<Record<AccountOp, AccountOp>> = { undo: 'run', cancel: 'try' };

/** An account of a participant, with a barrier as `passBarrier` keeps it, in the same transaction. */
export class LedgerAccount {
  free: number;
  held = 0;
  readonly #barrier = new Map<string, AccountOp>();
  readonly #barrierOff: boolean;

  constructor(amount: number, barrierOff: boolean) {
    this.free = amount;
    this.#barrierOff = barrierOff;
  }

  /** One instruction, all or nothing; `change` is what it does to the account. */
  tell(tx: string, op: AccountOp, change: () => void): void {
    if (this.#barrierOff) return change();
    const origin = origins[op];
    const empty = origin !== undefined && this.#insert(`${tx}/${origin}`, op);
    if (!this.#insert(`${tx}/${op}`, op)) {
      if (this.#barrier.get(`${tx}/${op}`) === op) return;
      throw new HeddleError({ code: 'failed_precondition', reason: 'OVER', message: `${tx} is over` });
    }
    if (empty) return;
    try {
      change();
    } catch (thrown) {
      this.#barrier.delete(`${tx}/${op}`);
      throw thrown;
    }
  }

  /** Moves money; rejects what would make the account negative. */
  move(free: number, held: number): void {
    if (this.free + free < 0)
      throw new HeddleError({ code: 'failed_precondition', reason: 'NOT_ENOUGH', message: 'not enough' });
    this.free += free;
    this.held += held;
  }

  #insert(key: string, by: AccountOp): boolean {
    if (this.#barrier.has(key)) return false;
    this.#barrier.set(key, by);
    return true;
  }
}
