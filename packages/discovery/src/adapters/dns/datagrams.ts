import type { Address, Call } from '@heddle/kernel';

/**
 * Sends one datagram and resolves with the first that comes back from the same place and is `expected`; others are
 * dropped. Rejects when the call is cancelled, or with `unavailable` if nobody listens there. Each from a port of its
 * own that cannot be foreseen, so that an answer cannot be forged blindly (RFC 5452). A port: `nodeDatagrams`.
 */
export type Datagrams = (
  query: Uint8Array,
  server: Address,
  expected: (reply: Uint8Array) => boolean,
  call: Call,
) => Promise<Uint8Array>;
