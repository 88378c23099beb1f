import { availableParallelism } from 'node:os';

/** How many processes can run at a time on this machine, as far as this one may use it. */
export function cores(): number {
  return availableParallelism();
}
