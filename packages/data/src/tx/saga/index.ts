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
export { type BeginOptions, SagaEngine, type SagaEngineOptions } from './saga-engine.ts';
export type { SagaFailure, SagaState, SagaStatus, StepPhase, StepState } from './saga-state.ts';
export type { SagaStore, SagaView } from './saga-store.ts';
