import type { Call } from '@heddle/kernel';
import { mariadbTransaction, passMariadbBarrier } from '../barrier/index.ts';
import type { MariadbConnection, MariadbPool } from '../mariadb/connection.ts';
import { answerOf, type TccService } from './tcc-service.ts';

/** What a branch in MariaDB or MySQL does, as `TccHandlers` says. */
export interface MariadbTccHandlers<Payload, C extends MariadbConnection> {
  /** Database with the branch's own tables; `prepareMariadbBarrier` was called on it. */
  readonly pool: MariadbPool<C>;
  readonly reserve: (connection: C, payload: Payload, call: Call) => Promise<unknown>;
  readonly confirm: (connection: C, payload: Payload, call: Call) => Promise<unknown>;
  readonly cancel: (connection: C, payload: Payload, call: Call) => Promise<unknown>;
}

/** `tccService` for a branch in MariaDB (10.5 and later) or MySQL (8 and later). */
export function mariadbTccService<Payload, C extends MariadbConnection>(
  handlers: MariadbTccHandlers<Payload, C>,
): TccService {
  return async ({ op, tx, branch, payload }, call) => {
    const work = op === 'try' ? handlers.reserve : handlers[op];
    const passed = await mariadbTransaction(handlers.pool, (connection) =>
      passMariadbBarrier(connection, { tx, branch, op }, (own) => work(own, payload as Payload, call)),
    );
    return answerOf(passed, tx, branch);
  };
}
