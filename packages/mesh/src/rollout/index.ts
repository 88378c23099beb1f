export {
  type Measured,
  newRollout,
  type RolloutEffect,
  type RolloutInput,
  type RolloutPlan,
  type RolloutState,
  stepRollout,
} from './rollout.ts';
export { type Shift, shiftWeights } from './shift-weights.ts';
