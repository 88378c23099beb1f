export { type BarrierMark, type BarrierOp, type Passed, passBarrier, prepareBarrier } from './barrier.ts';
