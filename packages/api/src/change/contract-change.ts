/** What a change means to those who use the contract. */
export type ChangeLevel =
  /** Somebody who did all right until now may fail. */
  | 'breaking'
  /** Those fail who rely on more than is promised. */
  | 'warning'
  /** Nobody fails. */
  | 'compatible';

/** One difference between two versions of a contract. */
export interface ContractChange {
  /** A stable name: buf's for gRPC, `request-…`, `response-…` and the like for the others. */
  readonly rule: string;
  readonly level: ChangeLevel;
  readonly kind: 'http' | 'message' | 'grpc';
  /** The ids of the operations that it touches (see `Operation`). Empty: the whole service. */
  readonly operations: readonly string[];
  /** Where in the contract: `body.items[].price`, `shop.user.v1.User.name`. */
  readonly at: string;
  /** For people: what was there, and what is. */
  readonly message: string;
}
