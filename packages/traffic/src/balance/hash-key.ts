import { type Call, type CallKey, callKey, type Layer } from '@heddle/kernel';

/** What the hashing policies (`ringHash`, `maglev`) keep together: calls with the same key go to the same instance. */
export const hashKey: CallKey<string | undefined> = callKey<string | undefined>('hash-key', undefined);

/** Where a call's hash key comes from; undefined: this call has none. Must not throw. */
export type HashKeySource<Req> = (req: Req, call: Call) => string | undefined;

/** The key from a value that the call carries: `fromCall(userId)`, `fromCall(tenantId)`. */
export function fromCall<Req>(key: CallKey<string | undefined>): HashKeySource<Req> {
  return (_req, call) => call.get(key);
}

/**
 * Gives each call its hash key, from the first of the sources that has one. Headers, cookies, the caller's address and
 * fields are sources of their protocol. Stands above `balance`; above `retry` it runs once a call.
 * A key that is set already stays: who calls knows best.
 */
export function hashBy<Req, Res>(...sources: readonly HashKeySource<Req>[]): Layer<Req, Res> {
  return (next) => (req, call) => {
    if (call.get(hashKey) !== undefined) return next(req, call);
    for (const source of sources) {
      const key = source(req, call);
      if (key === undefined || key === '') continue;
      call.set(hashKey, key);
      break;
    }
    return next(req, call);
  };
}
