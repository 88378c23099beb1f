export {
  type Tx,
  TxCoordinator,
  type TxCoordinatorOptions,
  type TxResult,
} from './coordinator.ts';
export { type DecidedTx, type DecisionLog, type OpenDecision, type TxName, txName } from './decision-log.ts';
export type { OpenBranch } from './live-tx.ts';
export type { MariadbConnection, MariadbPool } from '../mariadb/connection.ts';
export { MariadbParticipant, type MariadbParticipantOptions } from './mariadb-participant.ts';
export type {
  Branch,
  BranchId,
  Decision,
  KnownDecision,
  Participant,
  PreparedBranch,
  Vote,
} from './participant.ts';
export { PostgresParticipant, type PostgresParticipantOptions } from './postgres-participant.ts';
export {
  RpcParticipant,
  type RpcParticipantOptions,
  type TxAnswer,
  type TxRequest,
  type TxService,
} from './rpc-participant.ts';
export { SqlDecisionLog } from './sql-decision-log.ts';
export { TxEndpoint, type TxEndpointOptions } from './tx-endpoint.ts';
