import type { Host } from '@heddle/sim';

/** One instance of a fleet: a host that runs one service. */
export interface FleetInstance {
  readonly service: string;
  readonly host: Host;
}
