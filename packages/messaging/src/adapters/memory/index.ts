export { memoryEngine } from './memory-engine.ts';
export { MemoryLog } from './memory-log.ts';
