import { HeddleError } from './error.ts';
import type { Address } from './ports/net.ts';

/**
 * Throws `invalid_argument` / `INVALID_PORT` for a port that is none, so that a mistake is not taken for trouble on
 * the network. For implementations of the `Net` port; `least` is 0 for listening, 1 for connecting.
 */
export function checkPort(address: Address, least: 0 | 1): void {
  const { host, port } = address;
  if (Number.isInteger(port) && port >= least && port <= 65_535) return;
  const message = `address ${host}:${port}: expected a port from ${least} to 65535`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'INVALID_PORT', message, sent: false });
}
