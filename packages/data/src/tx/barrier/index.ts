export { type BarrierMark, type BarrierOp, type Passed, passBarrier, prepareBarrier } from './barrier.ts';
export { mariadbTransaction, passMariadbBarrier, prepareMariadbBarrier } from './mariadb-barrier.ts';
