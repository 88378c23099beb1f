export { nodeClock } from './clock.ts';
export { nodeDisk } from './disk.ts';
export { nodeLog } from './log.ts';
export { nodeNet } from './net.ts';
export { nodeRandom } from './random.ts';
export { runProcess } from './run-process.ts';
export { type NodeRuntimeOptions, nodeRuntime } from './runtime.ts';
export { nodeTimers } from './timers.ts';
export { TlsStore } from './tls-store.ts';
