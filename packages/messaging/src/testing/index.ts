export { brokerCases } from './broker-cases.ts';
export { brokerContract } from './broker-contract.ts';
export { type BrokerCase, type BrokerFaults, type BrokerStage, until } from './broker-stage.ts';
