export { answerCommands, type CommandMessage, commandMessage } from './command-message.ts';
export { type SagaCount, type SagaMeasures, sagaMetrics } from './metrics.ts';
export { saga, SagaBuilder, type SagaOptions } from './definition.ts';
export { drawSaga } from './draw-saga.ts';
export {
  type BeginOptions,
  SagaEngine,
  type SagaEngineOptions,
  type SagaEngineSettings,
  type SagaOutcome,
  type SagaPlace,
} from './saga-engine.ts';
export type { SagaFailure, SagaInput, SagaState, SagaStatus, StepPhase, StepState } from './saga-state.ts';
export type {
  SagaAudit,
  SagaChange,
  SagaKeeper,
  SagaMessage,
  SagaNews,
  SagaRow,
  SagasWritten,
  SagaView,
} from './saga-keeper.ts';
export { SagaStore } from './saga-store.ts';
export type { SubSagaOptions } from './sub-saga.ts';
export type {
  AnySaga,
  SagaDefinition,
  SagaEnd,
  SagaStarter,
  StepContext,
  StepOptions,
  UndoContext,
  WaitOptions,
} from './step.ts';
