export { bareRuntime } from './bare-runtime.ts';
export { seededRandom } from './seeded-random.ts';
export { VirtualTime } from './virtual-time.ts';
