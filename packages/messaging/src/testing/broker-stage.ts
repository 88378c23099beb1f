import type { Runtime } from '@heddle/kernel';
import type { Broker } from '../broker.ts';

/** An engine under test. `brokerContract` makes one for each case and closes it afterwards. */
export interface BrokerStage {
  readonly runtime: Runtime;
  /** Within this time another member has the partitions of one that died. The shorter, the sooner the suite is done. */
  readonly leaseMs: number;
  /** A broker as another process would make: its own subscriptions, the same topics. */
  open(): Promise<Broker>;
  /** The process behind this broker dies: nothing more is renewed, acknowledged or given back. */
  crash(broker: Broker): Promise<void>;
  readonly faults: BrokerFaults;
  /** Ends everything that `open` made. */
  close(): Promise<void>;
}

/** Faults of an engine that is a server of its own. */
export interface BrokerFaults {
  /** Stops the server at once, as `kill -9` does. */
  readonly kill?: () => Promise<void>;
  /** Starts it again at the same address with what it had. */
  readonly restart?: () => Promise<void>;
}

/** One thing that every engine must do. */
export interface BrokerCase {
  readonly name: string;
  /** The faults it works with; none if left out. */
  readonly needs?: readonly (keyof BrokerFaults)[];
  run(stage: BrokerStage): Promise<void>;
}

export { until } from '@heddle/kernel/testing';
