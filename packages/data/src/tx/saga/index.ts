export {
  type AnySaga,
  saga,
  SagaBuilder,
  type SagaDefinition,
  type SagaOptions,
  type StepContext,
  type StepOptions,
  type WaitOptions,
} from './definition.ts';
export {
  type BeginOptions,
  SagaEngine,
  type SagaEngineOptions,
  type SagaEngineSettings,
  type SagaPlace,
} from './saga-engine.ts';
export type { SagaFailure, SagaInput, SagaState, SagaStatus, StepPhase, StepState } from './saga-state.ts';
export {
  type SagaAudit,
  type SagaChange,
  type SagaKeeper,
  type SagaMessage,
  type SagaRow,
  SagaStore,
  type SagaView,
} from './saga-store.ts';
