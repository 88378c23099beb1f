export { type ConfigCase, type ConfigNeed, configCases } from './config-cases.ts';
export type { ConfigStage } from './config-stage.ts';
export { MemoryStore } from './memory-store.ts';
