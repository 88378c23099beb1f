export type { ConfigCase, ConfigNeed } from './config-case.ts';
export { configCases } from './config-cases.ts';
export type { ConfigStage } from './config-stage.ts';
export { MemoryStore } from './memory-store.ts';
