export { type EffectsOptions, type EffectsReport, retriedEffects } from './retried-effects.ts';
