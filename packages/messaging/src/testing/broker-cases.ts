import type { BrokerCase } from './broker-stage.ts';
import { deliveryCases } from './delivery-cases.ts';
import { faultCases } from './fault-cases.ts';
import { groupCases } from './group-cases.ts';
import { replyCases } from './reply-cases.ts';

/** All that a broker must do, in the order in which a new engine would best be made to. */
export const brokerCases: readonly BrokerCase[] = [
  ...deliveryCases,
  ...groupCases,
  ...replyCases,
  ...faultCases,
];
